// Segments removed, cut, renamed, copied and exchanged.
import assert from "node:assert/strict";
import { test } from "node:test";
import { writeLog } from "../sample-log.ts";
import { at, files, forge, sampleLogs, verify } from "./forgery.ts";

const coveredLogs = await sampleLogs({ covered: true });
const multiple = await writeLog({
    batches: [1, 2, 3].map(() => ({ events: ["a", "b", "c"], checkpoint: true, restart: false })),
    segmentBytes: 900,
    retainBytes: 1_000_000,
    covered: true,
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
