// Reads a log as an auditor does: trusts no line, follows the hashes, holds them against signed checkpoints.
import type { KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { decodeRecord, GENESIS, hashLine } from "./record.ts";
import { CHECKPOINT_FILE, listSegments } from "./segments.ts";

export interface Finding {
    readonly kind:
        | "changed"
        | "missing"
        | "reordered"
        | "truncated"
        | "malformed"
        | "torn"
        | "checkpoint"
        | "unanchored";
    /** Segment, without its directory. */
    readonly file: string;
    /** From 1; absent where there is no line to point at. */
    readonly line?: number;
    /** Record number. */
    readonly n?: number;
    /** What was found and what was expected. */
    readonly detail: string;
}

export interface ChainReport {
    readonly writer: string;
    readonly directory: string;
    readonly records: number;
    readonly firstN: number;
    readonly lastN: number;
    readonly segments: number;
    readonly checkpoints: number;
    /** Records behind the last checkpoint: their order is proved, their number is not yet. */
    readonly uncovered: number;
    /** Empty: nothing is wrong. `torn` alone is what a crash leaves, not what a forger does. */
    readonly findings: readonly Finding[];
}

export interface VerifyOptions {
    readonly writer: string;
    readonly publicKey: KeyObject;
    /** From the CHECKPOINTS stream: what was promised elsewhere than in the directory. */
    readonly checkpoints?: readonly Checkpoint[];
}

interface Line {
    readonly file: string;
    readonly line: number;
    readonly text: string;
}

/** Verifies the chain of one writer. */
export function verifyAuditLog(directory: string, options: VerifyOptions): ChainReport {
    const findings: Finding[] = [];
    const checkpoints = collectCheckpoints(directory, options, findings);
    const { lines, segments } = readLines(directory, findings);
    const chain = walkChain(lines, checkpoints, findings);
    for (const checkpoint of checkpoints.values()) {
        if (checkpoint.n > chain.lastN) {
            const detail = `a checkpoint of ${checkpoint.at} says that there are ${checkpoint.n} records, the log ends with ${chain.lastN}`;
            findings.push({ kind: "truncated", file: lines.at(-1)?.file ?? directory, n: chain.lastN + 1, detail });
            break;
        }
    }
    const covered = Math.max(0, ...[...checkpoints.keys()].filter((n) => n <= chain.lastN));
    return {
        writer: options.writer,
        directory,
        records: lines.length,
        firstN: chain.firstN,
        lastN: chain.lastN,
        segments,
        checkpoints: checkpoints.size,
        uncovered: Math.max(0, chain.lastN - Math.max(covered, chain.firstN - 1)),
        findings,
    };
}

/** By record number, highest first.  One that is not signed by the key, or contradicts another, is a finding. */
function collectCheckpoints(
    directory: string,
    options: VerifyOptions,
    findings: Finding[],
): ReadonlyMap<number, Checkpoint> {
    const file = path.join(directory, CHECKPOINT_FILE);
    const kept = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    const candidates = [...(options.checkpoints ?? [])].filter(({ writer }) => writer === options.writer);
    for (const [index, text] of kept.entries()) {
        const parsed = text === "" ? undefined : parseCheckpoint(text);
        if (parsed !== undefined) candidates.push(parsed);
        // The last line may be torn by a crash: the stream has the checkpoint as well.
        else if (index < kept.length - 1)
            findings.push({ kind: "checkpoint", file: CHECKPOINT_FILE, line: index + 1, detail: "not a checkpoint" });
    }
    const valid = new Map<number, Checkpoint>();
    for (const checkpoint of candidates) {
        const { n, writer } = checkpoint;
        const other = valid.get(n);
        if (writer !== options.writer || !verifyCheckpoint(checkpoint, options.publicKey)) {
            findings.push({
                kind: "checkpoint",
                file: CHECKPOINT_FILE,
                n,
                detail: "the signature does not fit the statement and the key",
            });
        } else if (other !== undefined && other.hash !== checkpoint.hash) {
            findings.push({
                kind: "checkpoint",
                file: CHECKPOINT_FILE,
                n,
                detail: "two checkpoints contradict each other",
            });
        } else valid.set(n, checkpoint);
    }
    return new Map([...valid].sort(([a], [b]) => b - a));
}

function readLines(directory: string, findings: Finding[]): { lines: Line[]; segments: number } {
    const segments = listSegments(directory);
    const lines = segments.flatMap((segment) => {
        const file = path.basename(segment.file);
        const parts = readFileSync(segment.file, "utf8").split("\n");
        const rest = parts.pop();
        if (rest !== undefined && rest !== "") {
            findings.push({
                kind: "torn",
                file,
                line: parts.length + 1,
                detail: `${Buffer.byteLength(rest)} bytes without a line end: written when the process died, or cut`,
            });
        }
        return parts.map((text, index) => ({ file, line: index + 1, text }));
    });
    return { lines, segments: segments.length };
}

/** Follows number and hash from line to line. */
function walkChain(
    lines: readonly Line[],
    checkpoints: ReadonlyMap<number, Checkpoint>,
    findings: Finding[],
): { firstN: number; lastN: number } {
    let previous: { line: Line; n: number; hash: string } | undefined;
    let firstN = 0;
    let lastN = 0;
    for (const line of lines) {
        const record = decodeRecord(line.text);
        const { file, line: at } = line;
        if (record === undefined) {
            findings.push({ kind: "malformed", file, line: at, n: lastN + 1, detail: "not a record" });
            lastN += 1;
            previous = undefined;
            continue;
        }
        const hash = hashLine(line.text);
        if (firstN === 0) {
            firstN = record.n;
            checkAnchor(record, checkpoints, file, findings);
        } else if (record.n > lastN + 1) {
            findings.push({
                kind: "missing",
                file,
                line: at,
                n: lastN + 1,
                detail: `records ${lastN + 1} to ${record.n - 1} are missing before this line`,
            });
        } else if (record.n <= lastN) {
            findings.push({
                kind: "reordered",
                file,
                line: at,
                n: record.n,
                detail: `record ${record.n} where ${lastN + 1} was expected`,
            });
        } else if (previous !== undefined && previous.hash !== record.previous) {
            findings.push({
                kind: "changed",
                file: previous.line.file,
                line: previous.line.line,
                n: previous.n,
                detail: `its SHA-256 is ${previous.hash}, record ${record.n} says ${record.previous}`,
            });
        }
        const promised = checkpoints.get(record.n);
        if (promised !== undefined && promised.hash !== hash) {
            findings.push({
                kind: "changed",
                file,
                line: at,
                n: record.n,
                detail: `its SHA-256 is ${hash}, the checkpoint of ${promised.at} says ${promised.hash}`,
            });
        }
        previous = { line, n: record.n, hash };
        lastN = Math.max(lastN, record.n);
    }
    return { firstN, lastN };
}

/** A log that does not begin with record 1 has to begin where a checkpoint says. */
function checkAnchor(
    record: { n: number; previous: string },
    checkpoints: ReadonlyMap<number, Checkpoint>,
    file: string,
    findings: Finding[],
): void {
    if (record.n === 1) {
        if (record.previous !== GENESIS)
            findings.push({ kind: "changed", file, line: 1, n: 1, detail: "the first record has something before it" });
        return;
    }
    const anchor = checkpoints.get(record.n - 1);
    if (anchor === undefined) {
        findings.push({
            kind: "unanchored",
            file,
            line: 1,
            n: record.n,
            detail: `no signed checkpoint of record ${record.n - 1}: what was before may have been cut off by anybody`,
        });
    } else if (anchor.hash !== record.previous) {
        findings.push({
            kind: "changed",
            file,
            line: 1,
            n: record.n,
            detail: `it follows ${record.previous}, the checkpoint of ${anchor.at} says ${anchor.hash}`,
        });
    }
}
