// What is no tampering: the auditor finds nothing.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createTemporaryDirectory } from "@postern/testkit";
import { AuditLog, type Checkpoint, verifyAuditLog } from "../../src/index.ts";
import { encodeEvent } from "../../src/record.ts";
import { Clock, event, options, PUBLIC_KEYS, WRITER } from "../sample-log.ts";
import { at, files, forge, sampleLogs } from "./forgery.ts";

const anyLogs = await sampleLogs();
const prunedLogs = await sampleLogs({ retainBytes: 2_500 });

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
