// Reads a log as an auditor does: trusts no line, follows numbers and hashes, holds them against signed checkpoints.
import { type Claims, type ClaimOptions, collectClaims } from "./checkpoint-claims.ts";
import { CHECKPOINT_FILE } from "./checkpoint-file.ts";
import { onDisk } from "./errors.ts";
import { type Finding, Findings, type Place } from "./finding.ts";
import { readLines } from "./line-reader.ts";
import { LinkCheck } from "./link-check.ts";
import { OrderWalk } from "./order-walk.ts";
import { type AuditRecord, decodeRecord, hashLine } from "./record.ts";
import { listSegments, type Segment } from "./segments.ts";

export interface ChainReport {
    readonly writer: string;
    readonly directory: string;
    /** Names the chain; `undefined` when there is nothing. */
    readonly chain: string | undefined;
    /** Lines that are records. */
    readonly records: number;
    /** Numbers of the first and the last record; both 0 for an empty log. */
    readonly first: number;
    readonly last: number;
    readonly segments: number;
    /** Checkpoints that hold. */
    readonly checkpoints: number;
    /** Records behind the last checkpoint: their order is proved, their number is not yet. */
    readonly uncovered: number;
    /** What a crash left behind the last line feed; not a sign of tampering. */
    readonly torn: (Place & { readonly bytes: number }) | undefined;
    /** Empty: nothing is wrong. */
    readonly findings: readonly Finding[];
    /** Findings beyond the thousand that are kept. */
    readonly omitted: number;
}

export interface VerifyOptions extends ClaimOptions {
    /** Is shown every record, some of them twice when old segments are deleted meanwhile. */
    readonly onRecord?: (record: AuditRecord) => void;
}

/** Records that are out of place at one time; beyond it, it makes no sense to go on. */
const MAX_UNRESOLVED = 10_000;

/**
 * Verifies the log of one writer, which may be writing it.  Read the published checkpoints before: a log is never behind what was
 * signed.
 */
export async function verifyAuditLog(directory: string, options: VerifyOptions): Promise<ChainReport> {
    return onDisk(directory, async () => {
        for (;;) {
            const walk = await beginWalk(directory, options);
            try {
                await walk.run();
            } catch (error) {
                // Old segments are deleted while this reads: begin again with those that are left.
                if (isGone(error) && (await listSegments(directory))[0]?.name !== walk.oldest) continue;
                throw error;
            }
            return { writer: options.writer, directory, ...walk.report() };
        }
    });
}

/** With a list of segments and checkpoints that explain its beginning. */
async function beginWalk(directory: string, options: VerifyOptions): Promise<Walk> {
    for (;;) {
        const findings = new Findings();
        const before = await listSegments(directory);
        const claims = await collectClaims(directory, await chainOf(before), options, findings);
        const segments = await listSegments(directory);
        if (before[0]?.name === segments[0]?.name) return new Walk(segments, claims, findings, options.onRecord);
    }
}

/** What the oldest readable opening says. */
async function chainOf(segments: readonly Segment[]): Promise<string | undefined> {
    try {
        for (const { file } of segments) {
            for await (const { lines } of readLines(file)) {
                const record = lines[0] === undefined ? undefined : decodeRecord(lines[0]);
                if (record?.kind === "opening") return record.opening.chain;
                break;
            }
        }
    } catch (error) {
        // Deleted meanwhile, which the next list of segments shows.
        if (!isGone(error)) throw error;
    }
    return undefined;
}

const isGone = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

class Walk {
    readonly #segments: readonly Segment[];
    readonly #claims: Claims;
    readonly #findings: Findings;
    readonly #onRecord: VerifyOptions["onRecord"];
    readonly #links: LinkCheck;
    #order: OrderWalk | undefined;
    #records = 0;
    #first = 0;
    #last = 0;
    #torn: ChainReport["torn"];
    /** Where the next line would be. */
    #end: Place | undefined;

    constructor(segments: readonly Segment[], claims: Claims, findings: Findings, onRecord: VerifyOptions["onRecord"]) {
        this.#segments = segments;
        this.#claims = claims;
        this.#findings = findings;
        this.#onRecord = onRecord;
        this.#links = new LinkCheck(findings, claims.promises);
    }

    get oldest(): string | undefined {
        return this.#segments[0]?.name;
    }

    async run(): Promise<void> {
        for (const segment of this.#segments) {
            if (!(await this.#readSegment(segment))) break;
        }
        this.#last = this.#order?.end() ?? 0;
        this.#links.end();
        this.#checkEnds();
    }

    report(): Omit<ChainReport, "writer" | "directory"> {
        const { chain, count } = this.#claims;
        const proved = this.#links.provedBefore(Infinity);
        return {
            chain,
            records: this.#records,
            first: this.#first,
            last: this.#last,
            segments: this.#segments.length,
            checkpoints: count,
            uncovered: Math.max(0, this.#last - Math.max(proved, this.#first - 1)),
            torn: this.#torn,
            findings: this.#findings.list.map((finding) => this.#withDoubt(finding)).sort(byPlace),
            omitted: this.#findings.omitted,
        };
    }

    async #readSegment(segment: Segment): Promise<boolean> {
        let line = 0;
        let rest = 0;
        for await (const batch of readLines(segment.file)) {
            for (const octets of batch.lines)
                this.#takeLine(segment, { file: segment.name, line: (line += 1) }, octets);
            ({ rest } = batch);
            if ((this.#order?.unresolved ?? 0) + this.#links.unresolved > MAX_UNRESOLVED) {
                const detail = `more than ${MAX_UNRESOLVED} records are out of place`;
                this.#findings.add({ kind: "abandoned", file: segment.name, line, detail });
                return false;
            }
        }
        const end = { file: segment.name, line: line + 1 };
        this.#end = end;
        if (rest === 0) return true;
        if (segment === this.#segments.at(-1)) this.#torn = { ...end, bytes: rest };
        else this.#order?.takeMalformed(end);
        return true;
    }

    #takeLine(segment: Segment, place: Place, octets: Buffer): void {
        const record = decodeRecord(octets);
        this.#order ??= this.#begin(record);
        if (record === undefined) return this.#order.takeMalformed(place);
        const { n, previous } = record;
        const isNext = this.#order.isSettled && n === this.#order.expected;
        if (place.line === 1 && isNext && n !== segment.first) this.#misnamed(place, n);
        this.#records += 1;
        this.#order.take({ n, previous, hash: hashLine(octets), place });
        this.#onRecord?.(record);
    }

    /** The file's name says with which record the log begins, unless it is signed that the log may begin with the record. */
    #begin(record: AuditRecord | undefined): OrderWalk {
        const first = this.#segments[0]?.first ?? 1;
        const hashBefore = (n: number): string | undefined => this.#claims.promises.get(n - 1)?.[0]?.hash;
        const isMisnamed =
            record !== undefined &&
            record.n !== first &&
            record.n <= (this.#claims.first ?? 1) &&
            record.previous === hashBefore(record.n);
        this.#first = isMisnamed ? record.n : first;
        const accept = this.#links.accept.bind(this.#links);
        return new OrderWalk({ findings: this.#findings, accept }, this.#first, hashBefore(this.#first));
    }

    #misnamed(place: Place, n: number): void {
        this.#findings.add({
            kind: "misnamed",
            ...place,
            n,
            detail: `the name of the file does not fit its first record, ${n}`,
        });
    }

    /** Is the log there from where it was not deleted by rule, to where it was signed? */
    #checkEnds(): void {
        const { first, newest, promises, beside } = this.#claims;
        if (newest !== undefined && newest.n > this.#last) {
            const detail = `the checkpoint of ${newest.at} says that there are records up to ${newest.n}`;
            this.#findings.add({ kind: "truncated", ...this.#end, n: this.#last + 1, through: newest.n, detail });
        }
        const [oldest] = this.#segments;
        if (this.#first <= 1 || oldest === undefined) return;
        const place = { file: oldest.name, line: 1 };
        if (first !== undefined && this.#first > first) {
            const detail = `the log was kept from record ${first} on: ${this.#first - first} records before this line were removed`;
            this.#findings.add({ kind: "missing", ...place, n: first, through: this.#first - 1, detail });
        } else if (!promises.has(this.#first - 1)) {
            const detail = `no checkpoint of record ${this.#first - 1}: what was before may have been cut off by anybody`;
            this.#findings.add({ kind: "unanchored", ...place, n: this.#first, detail });
        } else if (beside.size > 0 && !beside.has(this.#first - 1)) {
            const detail = `the checkpoint of record ${this.#first - 1}, behind which the log begins, was published and is not beside it`;
            this.#findings.add({ kind: "checkpoint", file: CHECKPOINT_FILE, n: this.#first - 1, detail });
        }
    }

    #withDoubt(finding: Finding): Finding {
        const { kind, n, through } = finding;
        const breaksChain =
            kind === "missing" ||
            kind === "malformed" ||
            kind === "truncated" ||
            (kind === "changed" && through === undefined);
        if (!breaksChain || n === undefined) return finding;
        const doubt = Math.max(this.#links.provedBefore(n) + 1, this.#first);
        return doubt < n ? { ...finding, unprovedFrom: doubt } : finding;
    }
}

const byPlace = (a: Finding, b: Finding): number =>
    (a.file ?? "~").localeCompare(b.file ?? "~") || (a.line ?? 0) - (b.line ?? 0);
