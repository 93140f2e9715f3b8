// Records changed, deleted, repeated, out of order, and what is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeEvent, hashLine } from "../../src/record.ts";
import { event, linesOf } from "../sample-log.ts";
import { at, covers, files, forge, isAt, sampleLogs, verify, withLines } from "./forgery.ts";

const coveredLogs = await sampleLogs({ covered: true });
const sample = at(coveredLogs, 0);

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
