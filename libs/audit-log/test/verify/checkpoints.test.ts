// What is signed: checkpoints forged, removed, contradicted, and those that find what else would not be found.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Checkpoint, formatCheckpoint } from "../../src/index.ts";
import { signCheckpoint } from "../../src/checkpoint.ts";
import { hashLine } from "../../src/record.ts";
import { KEY, linesOf, newKey, type SampleLog } from "../sample-log.ts";
import { at, CHECKPOINTS, covers, files, forge, sampleLogs, verify, withLines } from "./forgery.ts";

const coveredLogs = await sampleLogs({ covered: true });
const sample = at(coveredLogs, 0);

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

const newestOf = (log: SampleLog): { statement: Omit<Checkpoint, "key" | "signature">; checkpoint: Checkpoint } => {
    const checkpoint = at(log.published, log.published.length - 1);
    const { key: _key, signature: _signature, ...statement } = checkpoint;
    return { statement, checkpoint };
};

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
