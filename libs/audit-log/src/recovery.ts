// Finding out where a chain stands when its writer starts: the newest segment says it all, because its first record says what came
// before.  Whatever does not fit together is left alone for the auditor.
import { randomBytes } from "node:crypto";
import { truncate } from "node:fs/promises";
import type { Checkpoint } from "./checkpoint.ts";
import { AuditLogError } from "./errors.ts";
import { EventLedger, sequencedOf } from "./event-ledger.ts";
import { readLines } from "./line-reader.ts";
import { type AuditRecord, decodeRecord, GENESIS, hashLine } from "./record.ts";
import { listSegments, type Segment } from "./segments.ts";

export interface AuditLogState {
    /** Names the chain, in its openings and checkpoints. */
    readonly chain: string;
    /** Number of the oldest record that is kept. */
    readonly first: number;
    /** Of the last record; 0 for an empty chain. */
    readonly n: number;
    readonly hash: string;
    /** Of the last event that is recorded, and when the stream took it (wall-clock milliseconds). */
    readonly streamSequence: number;
    readonly storedAt: number;
}

/** Of a chain that begins. */
const newState = (): AuditLogState => ({
    chain: randomBytes(16).toString("hex"),
    first: 1,
    n: 0,
    hash: GENESIS,
    streamSequence: 0,
    storedAt: 0,
});

export interface Recovered {
    readonly state: AuditLogState;
    readonly ledger: EventLedger;
    /** The segment to go on with. */
    readonly active: Segment | undefined;
    /** Octets behind the last line feed: the process died while it wrote them, and nobody was told that they are safe. */
    readonly torn: number;
}

/** Rejects with `AUDIT_LOG_DAMAGED` where the end of the log is not what its writer left. */
export async function recover(directory: string, newest: Checkpoint | undefined): Promise<Recovered> {
    const segments = await listSegments(directory);
    const active = segments.at(-1);
    const torn = active === undefined ? 0 : await cutTornLine(active);
    let replay = new Replay(directory, undefined);
    for (const segment of segments.toReversed()) {
        replay = await replaySegment(directory, segment, newest);
        if (replay.state.n > 0) break;
    }
    const { state, ledger } = replay;
    if (newest !== undefined && newest.n > state.n) {
        throw damaged(directory, `it ends with record ${state.n}, and a checkpoint says that there were ${newest.n}`);
    }
    return { state: { ...state, first: segments[0]?.first ?? 1 }, ledger, active, torn };
}

const damaged = (directory: string, what: string): AuditLogError =>
    new AuditLogError(
        "AUDIT_LOG_DAMAGED",
        `${directory}: ${what}; \`postern audit verify\` tells more, and a new chain begins when the directory is moved aside`,
    );

async function cutTornLine({ file }: Segment): Promise<number> {
    let [size, rest] = [0, 0];
    for await (const batch of readLines(file)) ({ size, rest } = batch);
    if (rest > 0) await truncate(file, size);
    return rest;
}

async function replaySegment(directory: string, segment: Segment, newest: Checkpoint | undefined): Promise<Replay> {
    const replay = new Replay(directory, newest);
    for await (const { lines } of readLines(segment.file)) for (const line of lines) replay.take(segment, line);
    return replay;
}

/** Follows the lines of one segment. */
class Replay {
    readonly ledger = new EventLedger();
    readonly #directory: string;
    readonly #newest: Checkpoint | undefined;
    #progress = newState();

    constructor(directory: string, newest: Checkpoint | undefined) {
        this.#directory = directory;
        this.#newest = newest;
    }

    get state(): AuditLogState {
        return this.#progress;
    }

    take(segment: Segment, line: Buffer): void {
        const record = decodeRecord(line);
        const { n, hash } = this.#progress;
        if (record === undefined)
            throw damaged(this.#directory, `in ${segment.name} a line after record ${n} is no record`);
        const isNext =
            n === 0
                ? record.n === segment.first && record.kind === "opening"
                : record.n === n + 1 && record.previous === hash;
        if (!isNext)
            throw damaged(this.#directory, `in ${segment.name} record ${record.n} does not follow record ${n}`);
        this.#enter(record, hashLine(line));
    }

    #enter(record: AuditRecord, hash: string): void {
        const promised = this.#newest;
        if (promised?.n === record.n && promised.hash !== hash) {
            throw damaged(
                this.#directory,
                `record ${record.n} is not the one that the checkpoint of ${promised.at} is about`,
            );
        }
        this.#progress = { ...this.#progress, n: record.n, hash };
        if (record.kind === "opening") {
            this.#progress = { ...this.#progress, chain: record.opening.chain };
            this.ledger.restore(record.opening.recorded);
            return;
        }
        const { streamSequence, storedAt, event } = record;
        this.#progress = { ...this.#progress, streamSequence, storedAt };
        const sequenced = sequencedOf(event);
        if (sequenced !== undefined) this.ledger.note(sequenced);
    }
}
