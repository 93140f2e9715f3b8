// Makes logs of the real writer, lets a test change them, and shows them to the auditor.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { createTemporaryDirectory } from "@postern/testkit";
import fc from "fast-check";
import { type ChainReport, type Checkpoint, type Finding, verifyAuditLog } from "../../src/index.ts";
import {
    linesOf,
    type Making,
    makings,
    PUBLIC_KEYS,
    type SampleLog,
    type SampleRecord,
    store,
    WRITER,
    writeLog,
} from "../sample-log.ts";

export const CHECKPOINTS = "checkpoints.ndjson";
const scratch = await createTemporaryDirectory("audit-verify");
after(() => scratch[Symbol.asyncDispose]());
const DIRECTORY = join(scratch.path, "log");

const LOGS = 25;

/** Logs that came about in different ways. */
export const sampleLogs = (changes: Parameters<typeof makings>[0] = {}): Promise<SampleLog[]> =>
    Promise.all(fc.sample<Making>(makings(changes), LOGS).map(writeLog));

export type Files = Map<string, Buffer>;

export async function verify(
    files: ReadonlyMap<string, Buffer>,
    published: readonly Checkpoint[],
): Promise<ChainReport> {
    await store(DIRECTORY, files);
    return verifyAuditLog(DIRECTORY, { writer: WRITER, publicKeys: PUBLIC_KEYS, checkpoints: published });
}

interface Forgery {
    readonly files: Files;
    /** Default: what the writer published. */
    readonly published?: readonly Checkpoint[];
    readonly expect: (report: ChainReport) => void;
}

type Tamper = (log: SampleLog, pick: (count: number) => number) => Forgery | undefined;

/** Takes one of the logs, does something to it, and looks at what the auditor says. */
export function forge(name: string, logs: readonly SampleLog[], tamper: Tamper): void {
    test(name, async () => {
        const choices = fc.array(fc.nat(), { minLength: 6, maxLength: 6 });
        // By index: a counterexample should be readable.
        const property = fc.asyncProperty(fc.nat({ max: logs.length - 1 }), choices, async (index, chosen) => {
            const log = at(logs, index);
            const numbers = [...chosen];
            const forgery = tamper(log, (count) => (numbers.pop() ?? 0) % count);
            fc.pre(forgery !== undefined);
            const report = await verify(forgery.files, forgery.published ?? log.published);
            try {
                forgery.expect(report);
            } catch (cause) {
                const findings = report.findings.map((finding) => JSON.stringify(finding)).join("\n");
                throw new assert.AssertionError({ message: `${String(cause)}\nfindings:\n${findings}` });
            }
        });
        await fc.assert(property, { numRuns: 120 });
    });
}

export const at = <T>(list: readonly T[], index: number): T => {
    const found = list[index];
    assert.ok(found !== undefined);
    return found;
};

export const files = (log: SampleLog): Files => new Map(log.files);
export const covers = (finding: Finding, n: number): boolean =>
    (finding.n ?? Infinity) <= n && n <= (finding.through ?? finding.n ?? 0);
export const isAt = (finding: Finding, { file, line }: SampleRecord): boolean =>
    finding.file === file && finding.line === line;

/** Replaces the lines of segments; a segment without lines stays, empty. */
export function withLines(
    log: SampleLog,
    change: (lines: { record: SampleRecord; text: Buffer }[]) => { record: SampleRecord; text: Buffer }[],
): Files {
    const all = log.segments.flatMap((name) => {
        const records = log.records.filter(({ file }) => file === name);
        return linesOf(log.files.get(name) ?? Buffer.alloc(0)).map((text, index) => ({
            record: at(records, index),
            text,
        }));
    });
    const changed = files(log);
    const lines = change(all);
    for (const name of log.segments) {
        changed.set(name, Buffer.concat(lines.filter(({ record }) => record.file === name).map(({ text }) => text)));
    }
    return changed;
}
