import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory } from "@postern/testkit";
import {
    AuditLog,
    type AuditLogOptions,
    AuditLogError,
    type ChainReport,
    type Checkpoint,
    verifyAuditLog,
} from "../src/index.ts";
import { decodeRecord } from "../src/record.ts";
import { Clock, event, linesOf, options, PUBLIC_KEYS, WRITER } from "./sample-log.ts";

const SECOND = 1_000;

interface Opened extends AsyncDisposable {
    readonly directory: string;
    readonly clock: Clock;
    open(changes?: Partial<AuditLogOptions>): Promise<AuditLog>;
    verify(checkpoints?: readonly Checkpoint[]): Promise<ChainReport>;
}

async function workplace(): Promise<Opened> {
    const temporary = await createTemporaryDirectory("audit-log");
    const directory = join(temporary.path, "audit", WRITER);
    const clock = new Clock();
    return {
        directory,
        clock,
        open: (changes) => AuditLog.open(options(directory, clock, changes)),
        verify: (checkpoints = []) =>
            verifyAuditLog(directory, { writer: WRITER, publicKeys: PUBLIC_KEYS, checkpoints }),
        [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
    };
}

const segmentsIn = async (directory: string): Promise<string[]> =>
    (await readdir(directory)).filter((name) => /^\d/.test(name)).sort();

test("records are on disk when append resolves, and only for their owner", async () => {
    await using place = await workplace();
    const log = await place.open();
    assert.deepEqual(await log.append([event(1), event(2)]), []);
    const [name = ""] = await segmentsIn(place.directory);
    assert.equal(name, "000000000001-20260131T120000.ndjson");
    const file = join(place.directory, name);
    const records = linesOf(await readFile(file)).map((line) => decodeRecord(line.subarray(0, -1)));
    assert.deepEqual(
        records.map((record) => record?.n),
        [1, 2, 3],
    );
    assert.deepEqual(
        records.map((record) => record?.kind),
        ["opening", "event", "event"],
    );
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(place.directory)).mode & 0o777, 0o700);
    assert.equal(log.state.n, 3);
    assert.equal(log.state.streamSequence, 2);
    await log.close();
});

test("nothing to append writes nothing", async () => {
    await using place = await workplace();
    const log = await place.open();
    assert.deepEqual(await log.append([]), []);
    assert.equal(await log.checkpoint(), undefined);
    assert.equal(await log.rotate(), undefined);
    assert.equal(await log.prune(), undefined);
    assert.deepEqual(await segmentsIn(place.directory), []);
    await log.close();
});

test("a restart continues the chain, its number, hash and what is in it", async () => {
    await using place = await workplace();
    const first = await place.open();
    await first.append([event(1), event(2), event(5)]);
    const { state } = first;
    await first.close();
    const second = await place.open();
    assert.deepEqual(second.state, state);
    assert.equal(second.torn, 0);
    assert.deepEqual(second.ledger.recorded(), first.ledger.recorded());
    await second.append([event(6)]);
    await second.checkpoint();
    await second.close();
    const report = await place.verify();
    assert.deepEqual(report.findings, []);
    assert.equal(report.records, 5);
    assert.equal(report.uncovered, 0);
});

test("operations that overlap are done one after the other", async () => {
    await using place = await workplace();
    const log = await place.open({ segmentBytes: 2_000 });
    const work = Array.from({ length: 40 }, (_, index) => [
        log.append([event(index + 1)]),
        log.checkpoint(),
        log.rotate(),
    ]);
    await Promise.all(work.flat());
    await log.close();
    const report = await place.verify();
    assert.deepEqual(report.findings, []);
    assert.ok(report.segments > 3);
    assert.equal(report.records, 40 + report.segments);
});

test("a segment ends by size and by age, and a checkpoint is signed at its end", async () => {
    await using place = await workplace();
    const log = await place.open({ segmentBytes: 1_500, segmentAge: 60 * SECOND });
    await log.append([event(1)]);
    assert.equal(await log.rotate(), undefined);
    await log.append([event(2), event(3)]);
    assert.equal((await log.rotate())?.n, 4);
    await log.append([event(4)]);
    place.clock.advance(59 * SECOND);
    assert.equal(await log.rotate(), undefined);
    place.clock.advance(SECOND);
    assert.equal((await log.rotate())?.n, 6);
    assert.equal(await log.rotate(), undefined, "there is nothing to end");
    await log.close();
    // The age counts from the beginning of the segment, whenever the process began.
    const again = await place.open({ segmentBytes: 1_500, segmentAge: 60 * SECOND });
    place.clock.advance(60 * SECOND);
    assert.equal((await again.rotate())?.n, 6);
    await again.close();
    assert.deepEqual((await place.verify()).findings, []);
});

test("every segment says what is in those before it", async () => {
    await using place = await workplace();
    const log = await place.open({ segmentBytes: 1 });
    for (const sequence of [1, 2, 4]) {
        await log.append([event(sequence)]);
        await log.rotate();
        place.clock.advance(SECOND);
    }
    await log.close();
    const [, , last = ""] = await segmentsIn(place.directory);
    const [line] = linesOf(await readFile(join(place.directory, last)));
    const record = decodeRecord(line?.subarray(0, -1) ?? Buffer.alloc(0));
    assert.ok(record?.kind === "opening");
    assert.deepEqual(
        record.opening.recorded.map(({ ranges }) => ranges),
        [[[1, 2]]],
    );
});

test("segments are deleted by age, counted from their last record, and the log still verifies", async () => {
    await using place = await workplace();
    const log = await place.open({ segmentBytes: 1, retainAge: 10 * SECOND });
    const published: Checkpoint[] = [];
    for (const sequence of [1, 2, 3, 4]) {
        await log.append([event(sequence)]);
        const rotated = await log.rotate();
        assert.ok(rotated);
        published.push(rotated);
        place.clock.advance(4 * SECOND);
    }
    // Segment 1 ended when segment 2 began, 12 s ago; segment 2 is 8 s old.
    const pruned = await log.prune();
    assert.deepEqual(pruned?.deleted, ["000000000001-20260131T120000.ndjson"]);
    assert.equal(pruned.checkpoint.first, 3);
    assert.equal(await log.prune(), undefined);
    place.clock.advance(1_000 * SECOND);
    assert.equal((await log.prune())?.deleted.length, 2);
    assert.equal(await log.prune(), undefined, "the newest stays, whatever its age");
    await log.close();
    const report = await place.verify();
    assert.deepEqual(report.findings, []);
    assert.deepEqual([report.first, report.last, report.segments], [7, 8, 1]);
    assert.deepEqual((await place.verify([...published, pruned.checkpoint])).findings, []);
});

test("segments are deleted by size, oldest first", async () => {
    await using place = await workplace();
    const log = await place.open({ segmentBytes: 1, retainBytes: 2_600 });
    for (let sequence = 1; sequence <= 20; sequence += 1) {
        await log.append([event(sequence)]);
        await log.rotate();
        await log.prune();
    }
    await log.close();
    const names = await segmentsIn(place.directory);
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(place.directory, name))).size));
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= 2_600);
    assert.ok(names.length >= 2);
    assert.deepEqual((await place.verify()).findings, []);
});

test("a chain goes on after its first record was deleted", async () => {
    await using place = await workplace();
    const limits = { segmentBytes: 1, retainBytes: 1 };
    const log = await place.open(limits);
    for (const sequence of [1, 2, 3]) {
        await log.append([event(sequence)]);
        await log.rotate();
        await log.prune();
    }
    const { chain } = log.state;
    await log.close();
    const again = await place.open(limits);
    assert.equal(again.state.chain, chain);
    assert.equal(again.ledger.judge({ source: event(1).event.source, epoch: 1, sequence: 1 }), "repeat");
    await again.append([event(4)]);
    await again.checkpoint();
    await again.close();
    assert.deepEqual((await place.verify()).findings, []);
});

test("a second writer is refused", async () => {
    await using place = await workplace();
    const log = await place.open();
    await assert.rejects(place.open(), (error) => error instanceof AuditLogError && error.code === "AUDIT_LOG_LOCKED");
    await log.close();
    await (await place.open()).close();
});

test("a directory that cannot be used is said so", async () => {
    await using place = await workplace();
    const log = await place.open();
    await log.append([event(1)]);
    await log.close();
    const [file = ""] = await segmentsIn(place.directory);
    const below = join(place.directory, file, "audit-2");
    await assert.rejects(
        AuditLog.open(options(below, place.clock)),
        (error) =>
            error instanceof AuditLogError && error.code === "AUDIT_LOG_UNUSABLE" && error.message.includes(below),
    );
});

test("a probe leaves nothing behind", async () => {
    await using place = await workplace();
    const log = await place.open();
    await log.probe();
    assert.deepEqual((await readdir(place.directory)).sort(), ["checkpoints.ndjson", "writer.lock"]);
    await log.close();
});

test("what comes out of order is said once", async () => {
    await using place = await workplace();
    const log = await place.open();
    log.ledger.beginTurn(0);
    const source = { source: event(1).event.source, epoch: 1 };
    assert.deepEqual(await log.append([event(1), event(4)]), [
        { event: { ...source, sequence: 4 }, kind: "gap", first: 2, last: 3 },
    ]);
    assert.deepEqual(await log.append([event(2)]), [{ event: { ...source, sequence: 2 }, kind: "late" }]);
    await log.close();
});
