// The auditor against forgers: logs of the real writer, changed in every way, and what the auditor says about each.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createTemporaryDirectory } from "@postern/testkit";
import fc from "fast-check";
import {
    AuditLog,
    type ChainReport,
    type Checkpoint,
    type Finding,
    formatCheckpoint,
    verifyAuditLog,
} from "../src/index.ts";
import { signCheckpoint } from "../src/checkpoint.ts";
import { encodeEvent, hashLine } from "../src/record.ts";
import {
    Clock,
    event,
    KEY,
    linesOf,
    type Making,
    makings,
    newKey,
    options,
    PUBLIC_KEYS,
    type SampleLog,
    type SampleRecord,
    store,
    WRITER,
    writeLog,
} from "./sample-log.ts";

const scratch = await createTemporaryDirectory("audit-verify");
after(() => scratch[Symbol.asyncDispose]());
const DIRECTORY = join(scratch.path, "log");
const CHECKPOINTS = "checkpoints.ndjson";

const LOGS = 25;
const logsOf = (makings: fc.Arbitrary<Making>): Promise<SampleLog[]> =>
    Promise.all(fc.sample(makings, LOGS).map(writeLog));
const [anyLogs, coveredLogs, prunedLogs] = [
    await logsOf(makings()),
    await logsOf(makings({ covered: true })),
    await logsOf(makings({ retainBytes: 2_500 })),
];

type Files = Map<string, Buffer>;

async function verify(files: ReadonlyMap<string, Buffer>, published: readonly Checkpoint[]): Promise<ChainReport> {
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
function forge(name: string, logs: readonly SampleLog[], tamper: Tamper): void {
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

const at = <T>(list: readonly T[], index: number): T => {
    const found = list[index];
    assert.ok(found !== undefined);
    return found;
};

const files = (log: SampleLog): Files => new Map(log.files);
const covers = (finding: Finding, n: number): boolean =>
    (finding.n ?? Infinity) <= n && n <= (finding.through ?? finding.n ?? 0);
const isAt = (finding: Finding, { file, line }: SampleRecord): boolean =>
    finding.file === file && finding.line === line;

/** Replaces the lines of segments; a segment without lines stays, empty. */
function withLines(
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

forge("an untouched log has no findings, with the stream or without", anyLogs, (log) => ({
    files: files(log),
    expect: (report) => {
        assert.deepEqual(report.findings, []);
        assert.equal(report.records, log.records.length);
        assert.equal(report.last, at(log.records, log.records.length - 1).n);
        const newest = log.published.at(-1)?.n ?? 0;
        assert.equal(report.uncovered, report.last - newest);
    },
}));

forge("an untouched log has no findings without the stream", anyLogs, (log) => ({
    files: files(log),
    published: [],
    expect: (report) => assert.deepEqual(report.findings, []),
}));

forge("a log whose old segments were deleted by rule has no findings", prunedLogs, (log) => ({
    files: files(log),
    expect: (report) => {
        assert.deepEqual(report.findings, []);
        assert.equal(report.first, at(log.records, 0).n);
    },
}));

forge("a torn last line is no tampering", anyLogs, (log, pick) => {
    const changed = files(log);
    const name = at(log.segments, log.segments.length - 1);
    const line = Buffer.from(encodeEvent(9, "0".repeat(64), "2026-01-31T12:00:00.000Z", event(9)));
    const torn = line.subarray(0, 1 + pick(line.length));
    changed.set(name, Buffer.concat([log.files.get(name) ?? Buffer.alloc(0), torn]));
    return {
        files: changed,
        expect: (report) => {
            assert.deepEqual(report.findings, []);
            assert.equal(report.torn?.file, name);
            assert.equal(report.torn.bytes, torn.length);
        },
    };
});

forge("a changed octet of a record is named", coveredLogs, (log, pick) => {
    const changed = files(log);
    const record = at(log.records, pick(log.records.length));
    const content = Buffer.from(log.files.get(record.file) ?? "");
    const position = record.start + pick(record.end - record.start);
    content[position] = ((content[position] ?? 0) + 1 + pick(255)) % 256;
    changed.set(record.file, content);
    const isNewLine = content[position] === 0x0a;
    return {
        files: changed,
        expect: ({ findings }) => {
            assert.ok(findings.length > 0);
            for (const finding of findings) {
                // The last record is proved by nothing but its checkpoint, which also proves those before it.
                const isLast = record.n === at(log.records, log.records.length - 1).n;
                assert.ok(["changed", "malformed"].includes(finding.kind));
                assert.ok(isAt(finding, record), "the place");
                assert.ok(
                    isLast
                        ? covers(finding, record.n)
                        : finding.n === record.n && (finding.through ?? record.n) === record.n,
                    "the number",
                );
            }
            if (!isNewLine) assert.equal(new Set(findings.map(({ kind }) => kind)).size, 1);
        },
    };
});

forge("a changed line feed is named", coveredLogs, (log, pick) => {
    const changed = files(log);
    const record = at(log.records, pick(log.records.length));
    const content = Buffer.from(log.files.get(record.file) ?? "");
    content[record.end] = (0x0a + 1 + pick(255)) % 256;
    changed.set(record.file, content);
    return {
        files: changed,
        expect: ({ findings }) => {
            // It swallows the line behind it; behind the last lines there is nothing to tell that from a truncation.
            const [first, ...others] = findings;
            assert.ok(first !== undefined && covers(first, record.n));
            assert.ok(isAt(first, record));
            assert.ok(["malformed", "truncated"].includes(first.kind));
            assert.ok(others.every(({ kind, n }) => kind === "truncated" && n === record.n + 1));
        },
    };
});

forge("a changed octet of the checkpoints beside the log is named", coveredLogs, (log, pick) => {
    const changed = files(log);
    const content = Buffer.from(log.files.get(CHECKPOINTS) ?? "");
    // A last line that does not end is one that is being written: nothing to name, and the published copy counts.
    const position = pick(content.length - 1);
    content[position] = ((content[position] ?? 0) + 1 + pick(255)) % 256;
    changed.set(CHECKPOINTS, content);
    const line = content.subarray(0, position).toString("latin1").split("\n").length;
    return {
        files: changed,
        expect: ({ findings }) => {
            assert.ok(findings.length > 0);
            for (const { kind, file } of findings)
                assert.deepEqual({ kind, file }, { kind: "checkpoint", file: CHECKPOINTS });
            assert.ok(findings.some((finding) => finding.line === line || finding.line === undefined));
        },
    };
});

forge("deleted lines are missing, or the log is truncated", coveredLogs, (log, pick) => {
    const from = pick(log.records.length);
    const count = 1 + pick(Math.min(6, log.records.length - from));
    const gone = log.records.slice(from, from + count);
    const [first, last] = [at(gone, 0).n, at(gone, gone.length - 1).n];
    const next = log.records[from + count];
    return {
        files: withLines(log, (lines) => lines.filter(({ record }) => !gone.includes(record))),
        expect: ({ findings }) => {
            assert.equal(findings.length, 1);
            const { kind, n, through, file } = at(findings, 0);
            assert.deepEqual(
                { kind, n, through },
                { kind: next === undefined ? "truncated" : "missing", n: first, through: last },
            );
            if (next !== undefined) assert.equal(file, next.file);
        },
    };
});

forge("two lines that changed places are reordered", coveredLogs, (log, pick) => {
    if (log.records.length < 2) return undefined;
    const one = pick(log.records.length - 1);
    const other = one + 1 + pick(log.records.length - one - 1);
    const [a, b] = [at(log.records, one), at(log.records, other)];
    return {
        files: withLines(log, (lines) => {
            const swapped = lines.map((line) => ({ ...line }));
            const [x, y] = [at(swapped, one), at(swapped, other)];
            [x.text, y.text] = [y.text, x.text];
            return swapped;
        }),
        expect: ({ findings }) => {
            assert.ok(findings.length > 0);
            for (const finding of findings) {
                assert.equal(finding.kind, "reordered");
                assert.ok((finding.n ?? 0) >= a.n && (finding.through ?? finding.n ?? Infinity) <= b.n);
            }
        },
    };
});

forge("a line that is there twice is repeated", coveredLogs, (log, pick) => {
    const copied = pick(log.records.length);
    const to = pick(log.records.length + 1);
    if (to === copied || to === copied + 1) return undefined;
    const record = at(log.records, copied);
    return {
        files: withLines(log, (lines) => {
            const before = lines[to];
            const home = before?.record ?? at(lines, lines.length - 1).record;
            return lines.toSpliced(to, 0, { record: home, text: at(lines, copied).text });
        }),
        expect: ({ findings }) => {
            const [finding] = findings;
            assert.equal(findings.length, 1);
            assert.deepEqual({ kind: finding?.kind, n: finding?.n }, { kind: "repeated", n: record.n });
        },
    };
});

forge("the same line twice in a row is repeated", coveredLogs, (log, pick) => {
    const copied = pick(log.records.length);
    const { n, file, line } = at(log.records, copied);
    return {
        files: withLines(log, (lines) => lines.toSpliced(copied, 0, at(lines, copied))),
        expect: ({ findings }) => {
            assert.equal(findings.length, 1);
            const { kind, n: number, file: where, line: place } = at(findings, 0);
            assert.deepEqual({ kind, n: number, where, place }, { kind: "repeated", n, where: file, place: line + 1 });
        },
    };
});

forge("a removed segment is missing", coveredLogs, (log, pick) => {
    const removed = at(log.segments, pick(log.segments.length));
    const gone = log.records.filter(({ file }) => file === removed);
    const [first, last] = [at(gone, 0).n, at(gone, gone.length - 1).n];
    const changed = files(log);
    changed.delete(removed);
    return {
        files: changed,
        expect: ({ findings }) => {
            assert.equal(findings.length, 1);
            const { kind, n, through } = at(findings, 0);
            const isEnd = removed === at(log.segments, log.segments.length - 1);
            assert.deepEqual({ kind, n, through }, { kind: isEnd ? "truncated" : "missing", n: first, through: last });
        },
    };
});

forge("a cut file is named whether it is the last or not", coveredLogs, (log, pick) => {
    const name = at(log.segments, pick(log.segments.length));
    const content = log.files.get(name) ?? Buffer.alloc(0);
    const size = pick(content.length);
    const changed = files(log);
    changed.set(name, content.subarray(0, size));
    const lost = log.records.filter(({ file, end }) => file === name && end >= size);
    return {
        files: changed,
        expect: ({ findings }) => {
            assert.equal(findings.length, 1);
            const finding = at(findings, 0);
            assert.equal(finding.n, at(lost, 0).n);
            assert.equal(finding.through ?? finding.n, at(lost, lost.length - 1).n);
            assert.ok(["truncated", "missing", "malformed"].includes(finding.kind));
        },
    };
});

forge("a tail that is cut off with its checkpoints is found by the stream", coveredLogs, (log, pick) => {
    const from = pick(log.records.length);
    const gone = log.records.slice(from);
    const changed = withLines(log, (lines) => lines.filter(({ record }) => !gone.includes(record)));
    const kept = log.published.filter(({ n }) => n < at(gone, 0).n);
    changed.set(CHECKPOINTS, Buffer.from(kept.map((one) => `${formatCheckpoint(one)}\n`).join("")));
    return {
        files: changed,
        expect: ({ findings }) => {
            assert.deepEqual(findings.map(({ kind }) => kind).sort(), ["checkpoint", "truncated"]);
            const truncated = findings.find(({ kind }) => kind === "truncated");
            assert.deepEqual([truncated?.n, truncated?.through], [at(gone, 0).n, at(gone, gone.length - 1).n]);
        },
    };
});

forge("checkpoints that were removed from beside the log are missed", coveredLogs, (log) => {
    const changed = files(log);
    changed.delete(CHECKPOINTS);
    return {
        files: changed,
        expect: ({ findings }) => {
            assert.ok(findings.length > 0);
            assert.ok(findings.every(({ kind, file }) => kind === "checkpoint" && file === CHECKPOINTS));
        },
    };
});

forge("a checkpoint of another key is forged", coveredLogs, (log, pick) => {
    const changed = files(log);
    const lines = linesOf(log.files.get(CHECKPOINTS) ?? Buffer.alloc(0));
    const line = pick(lines.length + 1);
    const { key: _key, signature: _signature, ...statement } = at(log.published, pick(log.published.length));
    const forged = signCheckpoint({ ...statement, n: statement.n + pick(3), hash: hashLine("forged") }, newKey());
    changed.set(CHECKPOINTS, Buffer.concat(lines.toSpliced(line, 0, Buffer.from(`${formatCheckpoint(forged)}\n`))));
    return {
        files: changed,
        expect: ({ findings }) => {
            assert.equal(findings.length, 1);
            const { kind, file, line: found } = at(findings, 0);
            assert.deepEqual({ kind, file, found }, { kind: "checkpoint", file: CHECKPOINTS, found: line + 1 });
        },
    };
});

forge("a log that was rewritten from one record on contradicts its checkpoints", coveredLogs, (log, pick) => {
    const from = pick(log.records.length);
    const record = at(log.records, from);
    const changed = withLines(log, (lines) => {
        let previous: string | undefined;
        return lines.map((line, index) => {
            if (index < from) return line;
            const text = line.text.toString("utf8").slice(0, -1);
            const parsed = JSON.parse(text) as { previous: string; at: string }; // every record has both
            const rewritten = text
                .replace(parsed.previous, previous ?? parsed.previous)
                .replace(parsed.at, index === from ? "2020-02-02T02:02:02.002Z" : parsed.at);
            previous = hashLine(rewritten);
            return { ...line, text: Buffer.from(`${rewritten}\n`) };
        });
    });
    return {
        files: changed,
        expect: ({ findings }) => {
            assert.ok(findings.length > 0);
            assert.ok(findings.every(({ kind }) => kind === "changed"));
            assert.ok(findings.some((finding) => covers(finding, record.n)));
        },
    };
});

forge("a garbage line is malformed and nothing else", coveredLogs, (log, pick) => {
    const to = pick(log.records.length);
    const { file, line } = at(log.records, to);
    return {
        files: withLines(log, (lines) =>
            lines.toSpliced(to, 0, { record: at(lines, to).record, text: Buffer.from("{}\n") }),
        ),
        expect: ({ findings }) => {
            assert.equal(findings.length, 1);
            const { kind, file: where, line: place } = at(findings, 0);
            assert.deepEqual({ kind, where, place }, { kind: "malformed", where: file, place: line });
        },
    };
});

forge("random damage is never passed over, and never breaks the auditor", coveredLogs, (log, pick) => {
    const changed = files(log);
    const name = at(log.segments, pick(log.segments.length));
    const content = log.files.get(name) ?? Buffer.alloc(0);
    const [from, to] = [pick(content.length), pick(content.length)].sort((a, b) => a - b);
    const filler = Buffer.alloc(pick(40), pick(256));
    changed.set(name, Buffer.concat([content.subarray(0, from), filler, content.subarray(to)]));
    if (changed.get(name)?.equals(content) === true) return undefined;
    return { files: changed, expect: ({ findings }) => assert.ok(findings.length > 0) };
});

const newestOf = (log: SampleLog): { statement: Omit<Checkpoint, "key" | "signature">; checkpoint: Checkpoint } => {
    const checkpoint = at(log.published, log.published.length - 1);
    const { key: _key, signature: _signature, ...statement } = checkpoint;
    return { statement, checkpoint };
};
const sample = at(coveredLogs, 0);
const multiple = await writeLog({
    batches: [1, 2, 3].map(() => ({ events: ["a", "b", "c"], checkpoint: true, restart: false })),
    segmentBytes: 900,
    retainBytes: 1_000_000,
    covered: true,
});

test("checkpoints that contradict each other: two logs were written as one", async () => {
    const { statement } = newestOf(sample);
    const other = signCheckpoint({ ...statement, hash: hashLine("another log") }, KEY);
    const { findings } = await verify(sample.files, [...sample.published, other]);
    assert.deepEqual(
        findings.map(({ kind, n }) => ({ kind, n })).filter(({ kind }) => kind === "checkpoint"),
        [{ kind: "checkpoint", n: statement.n }],
    );
});

test("what another key signed for this writer in the stream is a finding, what other writers signed is not", async () => {
    const { statement } = newestOf(sample);
    const foreign = signCheckpoint({ ...statement, n: statement.n + 9 }, newKey());
    const { findings } = await verify(sample.files, [...sample.published, foreign]);
    assert.deepEqual(
        findings.map(({ kind, file }) => ({ kind, file })),
        [{ kind: "checkpoint", file: undefined }],
    );
    const ofOther = signCheckpoint({ ...statement, writer: "audit-2", n: statement.n + 9 }, newKey());
    assert.deepEqual((await verify(sample.files, [...sample.published, ofOther])).findings, []);
});

test("a checkpoint of another writer beside the log does not belong there", async () => {
    const { statement } = newestOf(sample);
    const ofOther = signCheckpoint({ ...statement, writer: "audit-2" }, KEY);
    const changed = files(sample);
    changed.set(
        CHECKPOINTS,
        Buffer.concat([
            sample.files.get(CHECKPOINTS) ?? Buffer.alloc(0),
            Buffer.from(`${formatCheckpoint(ofOther)}\n`),
        ]),
    );
    const { findings } = await verify(changed, sample.published);
    assert.match(at(findings, 0).detail, /about the log of audit-2/);
});

test("a renamed file is misnamed", async () => {
    for (const name of multiple.segments) {
        const renamed = name.replace(/^\d{12}/, (digits) => String(Number(digits) + 1).padStart(12, "0"));
        const changed = files(multiple);
        changed.delete(name);
        changed.set(renamed, multiple.files.get(name) ?? Buffer.alloc(0));
        const { findings } = await verify(changed, multiple.published);
        assert.deepEqual(
            findings.map(({ kind, file, line }) => ({ kind, file, line })),
            [{ kind: "misnamed", file: renamed, line: 1 }],
        );
    }
});

test("a file that is there twice is one finding", async () => {
    const [, name = ""] = multiple.segments;
    const copy = name.replace(/T\d{6}/, "T235959");
    const { findings } = await verify(
        files(multiple).set(copy, multiple.files.get(name) ?? Buffer.alloc(0)),
        multiple.published,
    );
    const records = multiple.records.filter(({ file }) => file === name);
    assert.deepEqual(
        findings.map(({ kind, file, line, n, through }) => ({ kind, file, line, n, through })),
        [{ kind: "repeated", file: copy, line: 1, n: at(records, 0).n, through: at(records, records.length - 1).n }],
    );
});

test("files in another order are named", async () => {
    const [first = "", second = "", third = ""] = multiple.segments;
    const changed = files(multiple);
    changed.set(second, multiple.files.get(third) ?? Buffer.alloc(0));
    changed.set(third, multiple.files.get(second) ?? Buffer.alloc(0));
    const { findings } = await verify(changed, multiple.published);
    assert.ok(findings.length > 0 && findings.every(({ file }) => file !== first));
    assert.ok(findings.every(({ kind }) => kind === "reordered"));
});

test("a record between two checkpoints is named as what else hangs on it", async () => {
    const record = at(multiple.records, 2);
    const changed = files(multiple);
    const content = Buffer.from(multiple.files.get(record.file) ?? "");
    const digit = content.indexOf('"subject":"session', record.start) + '"subject":"session'.length;
    content[digit] = (content[digit] ?? 0) ^ 1;
    const { findings } = await verify(changed.set(record.file, content), multiple.published);
    assert.equal(findings.length, 1);
    const { kind, n, unprovedFrom } = at(findings, 0);
    assert.deepEqual({ kind, n, unprovedFrom }, { kind: "changed", n: 3, unprovedFrom: 1 });
});

test("ruins have an end: findings are counted beyond a thousand, and the auditor gives up beyond ten thousand", async () => {
    const [name = ""] = sample.segments;
    const lines = linesOf(sample.files.get(name) ?? Buffer.alloc(0));
    const line = at(lines, 0);
    const garbage = Buffer.concat(Array.from({ length: 3_000 }, () => Buffer.concat([Buffer.from("{}\n"), line])));
    const flooded = await verify(files(sample).set(name, Buffer.concat([line, garbage])), []);
    assert.equal(flooded.findings.length, 1_000);
    assert.ok(flooded.omitted > 1_000);
    const records = Array.from(
        { length: 12_000 },
        (_, index) => `${encodeEvent(index * 2 + 2, hashLine(`${index}`), "2026-01-31T12:00:00.000Z", event(1))}\n`,
    );
    const ruined = await verify(files(sample).set(name, Buffer.from(records.join(""))), []);
    assert.ok(ruined.findings.some(({ kind }) => kind === "abandoned"));
});

test("a log that is written, and relieved of old files, while it is verified has no findings", async () => {
    await using temporary = await createTemporaryDirectory("audit-live");
    const directory = join(temporary.path, "log");
    const clock = new Clock();
    const log = await AuditLog.open(options(directory, clock, { segmentBytes: 3_000, retainBytes: 12_000 }));
    const published: Checkpoint[] = [];
    let sequence = 0;
    const writing = (async () => {
        for (let round = 0; round < 150; round += 1) {
            clock.advance(1_000);
            await log.append([event((sequence += 1)), event((sequence += 1))]);
            for (const checkpoint of [await log.checkpoint(), await log.rotate(), (await log.prune())?.checkpoint]) {
                if (checkpoint !== undefined) published.push(checkpoint);
            }
        }
        return "written";
    })();
    let rounds = 0;
    while ((await Promise.race([writing, setImmediate("not yet")])) !== "written") {
        const checkpoints = [...published];
        const { findings } = await verifyAuditLog(directory, { writer: WRITER, publicKeys: PUBLIC_KEYS, checkpoints });
        assert.deepEqual(findings, []);
        rounds += 1;
    }
    await log.close();
    assert.ok(rounds > 3, `${rounds} rounds`);
});
