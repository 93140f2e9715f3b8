// What a crash leaves is mended; what somebody changed is left alone.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { createTemporaryDirectory } from "@postern/testkit";
import { AuditLog, AuditLogError, verifyAuditLog } from "../src/index.ts";
import { Clock, event, options, PUBLIC_KEYS, type SampleLog, store, WRITER, writeLog } from "./sample-log.ts";

const scratch = await createTemporaryDirectory("audit-recovery");
after(() => scratch[Symbol.asyncDispose]());
const DIRECTORY = join(scratch.path, "log");
const batch = (count: number, checkpoint: boolean) => ({
    events: Array.from({ length: count }, () => ""),
    checkpoint,
    restart: false,
});

const uncovered = await writeLog({
    batches: [batch(2, true), batch(2, false)],
    segmentBytes: 1_000_000,
    retainBytes: 1_000_000,
    covered: false,
});
const covered = await writeLog({
    batches: [batch(4, true)],
    segmentBytes: 1_000_000,
    retainBytes: 1_000_000,
    covered: false,
});

async function reopen(files: ReadonlyMap<string, Buffer>): Promise<AuditLog> {
    await store(DIRECTORY, files);
    return AuditLog.open(options(DIRECTORY, new Clock()));
}

const isDamaged =
    (pattern: RegExp) =>
    (error: unknown): boolean =>
        error instanceof AuditLogError && error.code === "AUDIT_LOG_DAMAGED" && pattern.test(error.message);

function changed({ files, segments }: SampleLog, change: (content: Buffer) => Buffer): Map<string, Buffer> {
    const [name = ""] = segments;
    return new Map(files).set(name, change(Buffer.from(files.get(name) ?? "")));
}

test("wherever a crash tears the last line, the chain goes on from the one before", async () => {
    const last = uncovered.records.at(-1);
    assert.ok(last);
    for (let size = last.start; size <= last.end; size += 7) {
        const log = await reopen(changed(uncovered, (content) => content.subarray(0, size)));
        assert.equal(log.state.n, last.n - 1);
        assert.equal(log.torn, size - last.start);
        await log.append([event(4)]);
        await log.checkpoint();
        await log.close();
        const report = await verifyAuditLog(DIRECTORY, {
            writer: WRITER,
            publicKeys: PUBLIC_KEYS,
            checkpoints: uncovered.published,
        });
        assert.deepEqual(report.findings, []);
        assert.equal(report.last, last.n);
    }
});

test("a crash before the first line of a segment was whole", async () => {
    const [name = ""] = uncovered.segments;
    for (const torn of ["", '{"n":6,"previous"']) {
        const files = new Map(uncovered.files).set("000000000006-20260131T130000.ndjson", Buffer.from(torn));
        const log = await reopen(files);
        assert.equal(log.state.n, 5);
        await log.append([event(5)]);
        assert.equal(log.state.n, 7, "the segment has its opening");
        await log.checkpoint();
        await log.close();
        const report = await verifyAuditLog(DIRECTORY, { writer: WRITER, publicKeys: PUBLIC_KEYS });
        assert.deepEqual(report.findings, [], name);
    }
});

test("a chain whose only segment was torn at its first line begins anew", async () => {
    const log = await reopen(new Map([["000000000001-20260131T120000.ndjson", Buffer.from('{"n":1,"prev')]]));
    assert.equal(log.state.n, 0);
    await log.append([event(1)]);
    await log.close();
    const report = await verifyAuditLog(DIRECTORY, { writer: WRITER, publicKeys: PUBLIC_KEYS });
    assert.deepEqual([report.findings, report.last], [[], 2]);
});

test("an end that was cut off behind a checkpoint is not continued", async () => {
    const last = covered.records.at(-1);
    assert.ok(last);
    await assert.rejects(
        reopen(changed(covered, (content) => content.subarray(0, last.start))),
        isDamaged(/ends with record 4, and a checkpoint says that there were 5/),
    );
});

test("a changed line in the last segment is not continued", async () => {
    for (const record of covered.records) {
        const files = changed(covered, (content) => {
            content[record.end - 3] = (content[record.end - 3] ?? 0) ^ 1;
            return content;
        });
        await assert.rejects(reopen(files), isDamaged(/does not follow|is no record|is not the one/));
    }
});

test("a log that is gone while its checkpoints are there is not begun anew", async () => {
    const files = new Map(covered.files);
    for (const name of covered.segments) files.delete(name);
    await assert.rejects(reopen(files), isDamaged(/ends with record 0/));
});

test("a damaged log does not stay locked", async () => {
    const files = new Map(covered.files);
    for (const name of covered.segments) files.delete(name);
    await assert.rejects(reopen(files), isDamaged(/./));
    await (await reopen(covered.files)).close();
});
