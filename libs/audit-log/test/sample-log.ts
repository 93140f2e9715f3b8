// Logs written by the real writer, as files in memory, so that tests can change them in every way.
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CloudEvent } from "@postern/contracts";
import { createTemporaryDirectory } from "@postern/testkit";
import fc from "fast-check";
import { AuditLog, type AuditLogOptions, type Checkpoint, type NewRecord, type SigningKey } from "../src/index.ts";
import { keyId } from "../src/signing-key.ts";

// Thousands of logs are written and synced here: a disk of memory will do, where there is one.
if (existsSync("/dev/shm")) process.env["TMPDIR"] = "/dev/shm";

export const WRITER = "audit-1";
const START = Date.UTC(2026, 0, 31, 12);

export function newKey(): SigningKey {
    const { privateKey } = generateKeyPairSync("ed25519");
    return { privateKey, id: keyId(createPublicKey(privateKey)) };
}

export const KEY = newKey();
export const PUBLIC_KEYS = [createPublicKey(KEY.privateKey)];

export class Clock {
    #now = START;
    readonly now = (): Date => new Date(this.#now);
    advance(milliseconds: number): void {
        this.#now += milliseconds;
    }
}

export const options = (directory: string, clock: Clock, changes: Partial<AuditLogOptions> = {}): AuditLogOptions => ({
    directory,
    writer: WRITER,
    key: KEY,
    segmentBytes: 64 * 1024 * 1024,
    segmentAge: 86_400_000,
    retainAge: 400 * 86_400_000,
    retainBytes: 1024 ** 4,
    now: clock.now,
    ...changes,
});

export function event(sequence: number, source = "postern/main/session-worker/worker-1", detail = ""): NewRecord {
    const cloudEvent: CloudEvent = {
        specversion: "1.0",
        id: `${source}/1/${sequence}`,
        source,
        type: "postern.session.started.v1",
        subject: `session${sequence}`,
        time: new Date(START).toISOString(),
        datacontenttype: "application/json",
        instance: "worker-1",
        epoch: 1,
        sequence,
        data: { detail },
    };
    return { streamSequence: sequence, storedAt: START + sequence, event: cloudEvent };
}

/** How a log comes about. */
export interface Making {
    readonly batches: readonly {
        readonly events: readonly string[];
        readonly checkpoint: boolean;
        readonly restart: boolean;
    }[];
    readonly segmentBytes: number;
    readonly retainBytes: number;
    /** The last checkpoint is about the last record. */
    readonly covered: boolean;
}

const detail = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 10 }));

export const makings = (changes: Partial<{ retainBytes: number; covered: boolean }> = {}): fc.Arbitrary<Making> =>
    fc.record({
        batches: fc.array(
            fc.record({
                events: fc.array(detail, { minLength: 1, maxLength: 5 }),
                checkpoint: fc.boolean(),
                restart: fc.boolean().map((restart) => restart),
            }),
            { minLength: 1, maxLength: 8 },
        ),
        segmentBytes: fc.constantFrom(900, 2_000, 1_000_000),
        retainBytes: changes.retainBytes === undefined ? fc.constant(1_000_000) : fc.constant(changes.retainBytes),
        covered: changes.covered === undefined ? fc.boolean() : fc.constant(changes.covered),
    });

export interface SampleLog {
    /** By name. */
    readonly files: ReadonlyMap<string, Buffer>;
    readonly published: readonly Checkpoint[];
    /** Names of segments, oldest first. */
    readonly segments: readonly string[];
    readonly records: readonly SampleRecord[];
}

export interface SampleRecord {
    readonly n: number;
    readonly file: string;
    readonly line: number;
    /** Octets of the line in its file, the line feed not counted. */
    readonly start: number;
    readonly end: number;
}

/** Writes a log and takes it into memory. */
export async function writeLog({ batches, segmentBytes, retainBytes, covered }: Making): Promise<SampleLog> {
    await using temporary = await createTemporaryDirectory("audit-log");
    const directory = join(temporary.path, "log");
    const clock = new Clock();
    const published: Checkpoint[] = [];
    let sequence = 0;
    const publish = (checkpoint: Checkpoint | undefined): void => {
        if (checkpoint !== undefined) published.push(checkpoint);
    };
    const open = (): Promise<AuditLog> => AuditLog.open(options(directory, clock, { segmentBytes, retainBytes }));
    let log = await open();
    for (const { events, checkpoint, restart } of batches) {
        clock.advance(1_000);
        await log.append(events.map((text) => event((sequence += 1), undefined, text)));
        if (checkpoint) publish(await log.checkpoint());
        publish(await log.rotate());
        publish((await log.prune())?.checkpoint);
        if (!restart) continue;
        await log.close();
        log = await open();
    }
    if (covered) publish(await log.checkpoint());
    await log.close();
    return describe(await load(directory), published);
}

async function load(directory: string): Promise<Map<string, Buffer>> {
    const names = (await readdir(directory)).filter((name) => name !== "writer.lock").sort();
    const contents = await Promise.all(names.map((name) => readFile(join(directory, name))));
    return new Map(names.map((name, index) => [name, contents[index] ?? Buffer.alloc(0)]));
}

export async function store(directory: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    for (const [name, content] of files) await writeFile(join(directory, name), content);
}

function describe(files: ReadonlyMap<string, Buffer>, published: readonly Checkpoint[]): SampleLog {
    const segments = [...files.keys()].filter((name) => name !== "checkpoints.ndjson");
    const records = segments.flatMap((file) => {
        const content = files.get(file) ?? Buffer.alloc(0);
        const list: SampleRecord[] = [];
        for (let start = 0, line = 1; start < content.length; line += 1) {
            const end = content.indexOf("\n", start);
            const { n } = JSON.parse(content.toString("utf8", start, end)) as { n: number }; // every record has its number
            list.push({ n, file, line, start, end });
            start = end + 1;
        }
        return list;
    });
    return { files, published, segments, records };
}

/** The lines of a segment, each with its line feed. */
export const linesOf = (content: Buffer): Buffer[] => {
    const lines: Buffer[] = [];
    for (let start = 0; start < content.length;) {
        const end = content.indexOf("\n", start) + 1 || content.length;
        lines.push(content.subarray(start, end));
        start = end;
    }
    return lines;
};
