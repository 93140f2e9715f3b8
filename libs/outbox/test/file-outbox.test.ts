import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { adminAction, sessionEnded, sessionUpdated, type ReleaseQuestion } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { createTemporaryDirectory, eventually } from "@postern/testkit";
import { thisHost } from "../src/host.ts";
import { MemoryStream } from "./memory-stream.ts";
import { end, note, open, release } from "./test-outbox.ts";

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const details = (stream: MemoryStream): unknown[] =>
    stream.stored.map(({ event }) => (event.data as { detail: string }).detail); // a note's

test("an event becomes a CloudEvent with source, epoch and a sequence that counts up", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    await using one = await open({
        directory: directory.path,
        stream,
        epoch: 1_000,
        clock: () => Date.parse("2026-01-02T03:04:05.678Z"),
    });
    await note(one.outbox, "first", "alice");
    await note(one.outbox, "second", "bob");
    await one.outbox.drained();
    assert.deepEqual(stream.stored[0], {
        subject: stream.stored[0]?.subject,
        id: "postern/main/session-worker/w1/1000/1",
        event: {
            specversion: "1.0",
            id: "postern/main/session-worker/w1/1000/1",
            source: "postern/main/session-worker/w1",
            type: "postern.admin.action.v1",
            subject: "alice",
            time: "2026-01-02T03:04:05.678Z",
            datacontenttype: "application/json",
            instance: "w1",
            epoch: 1_000,
            sequence: 1,
            data: { action: "test", target: "alice", by: "test", detail: "first" },
        },
    });
    assert.match(stream.stored[0].subject, /^postern\.main\.event\.admin\.action\.[0-3][0-9a-f]$/);
    assert.deepEqual(stream.sequences(1_000), [1, 2]);
    assert.deepEqual(
        { ...one.outbox.statistics(), bytes: 0 },
        {
            waiting: 0,
            bytes: 0,
            oldestAge: 0,
            published: 2,
            retries: 0,
            dropped: 0,
            corruptions: 0,
        },
    );
});

test("many appends at once share their syncs, and are published in their order, one at a time", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    await using one = await open({ directory: directory.path, stream });
    await Promise.all(numbers(1, 500).map((n) => note(one.outbox, String(n), `thing${n % 7}`)));
    await one.outbox.drained();
    assert.deepEqual(stream.sequences(1), numbers(1, 500));
    assert.deepEqual(details(stream), numbers(1, 500).map(String));
    assert.equal(stream.mostAtOnce, 1);
});

test("with order by partition, partitions go at once and each keeps its order", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    await using one = await open({ directory: directory.path, stream, order: "partition" });
    await Promise.all(numbers(1, 300).map((n) => note(one.outbox, String(n), `thing${n % 11}`)));
    await one.outbox.drained();
    assert.ok(stream.mostAtOnce > 1);
    assert.deepEqual(
        stream.sequences(1).sort((a, b) => a - b),
        numbers(1, 300),
    );
    const bySubject = Map.groupBy(stream.stored, ({ subject }) => subject);
    for (const messages of bySubject.values()) {
        const sequences = messages.map(({ event }) => event.sequence ?? 0);
        assert.deepEqual(
            sequences,
            sequences.toSorted((a, b) => a - b),
        );
    }
});

test("a settlement decides what is told: won, lost, lost without counters, unknown; numbers have no gap", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    const outcomes: Record<string, "won" | "lost" | "unknown"> = {
        sessionwon: "won",
        sessionlost: "lost",
        sessionsupp: "lost",
        sessionunkn: "unknown",
    };
    const settle = async ({ session }: ReleaseQuestion): Promise<"won" | "lost" | "unknown"> =>
        outcomes[session] ?? "won";
    await using one = await open({ directory: directory.path, stream, settle });
    await end(one.outbox, "sessionwon", release("sessionwon"));
    await end(one.outbox, "sessionunkn", release("sessionunkn"));
    await end(one.outbox, "sessionlost", release("sessionlost"));
    await end(one.outbox, "sessionsupp", release("sessionsupp", false));
    await end(one.outbox, "sessionplain");
    await one.outbox.drained();
    assert.deepEqual(
        stream.stored.map(({ event }) => [event.subject, event.type, event.sequence]),
        [
            ["sessionwon", "postern.session.ended.v1", 1],
            ["sessionlost", "postern.session.late-counters.v1", 2],
            ["sessionplain", "postern.session.ended.v1", 3],
        ],
    );
    assert.match(stream.stored[1]?.subject ?? "", /\.event\.session\.late-counters\./);
    assert.equal(one.outbox.statistics().dropped, 2);
    assert.ok(one.log.find(/knows nothing of a session/));
});

test("a registry that does not answer holds what comes after, and is asked again", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    let answers = false;
    let asked = 0;
    const settle = async (): Promise<"won"> => {
        asked += 1;
        if (!answers) throw new DependencyError("BUS_NO_RESPONDERS");
        return "won";
    };
    await using one = await open({ directory: directory.path, stream, settle });
    await end(one.outbox, "sessiona", release("sessiona"));
    await note(one.outbox, "after");
    await eventually(() => assert.ok(asked >= 2));
    assert.equal(stream.stored.length, 0);
    assert.equal(one.outbox.statistics().waiting, 2);
    answers = true;
    await one.outbox.drained();
    assert.deepEqual(stream.sequences(1), [1, 2]);
});

test("a decision is asked for once: after a restart the registry is not asked again", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    stream.setConnected(false);
    const first = await open({
        directory: directory.path,
        stream,
        settle: async ({ session }) => (session === "sessiona" ? "unknown" : "won"),
    });
    await end(first.outbox, "sessiona", release("sessiona"));
    await end(first.outbox, "sessionb", release("sessionb"));
    await note(first.outbox, "last");
    await eventually(() => assert.equal(first.outbox.statistics().dropped, 1));
    await eventually(() => assert.equal(first.outbox.statistics().waiting, 2));
    await first.outbox.close();

    stream.setConnected(true);
    const settle = async (): Promise<never> => assert.fail("asked again");
    await using second = await open({ directory: directory.path, stream, settle, epoch: 2 });
    await second.outbox.drained();
    assert.deepEqual(
        stream.stored.map(({ event }) => [event.subject, event.epoch, event.sequence]),
        [
            ["sessionb", 1, 1],
            ["thing", 1, 2],
        ],
    );
});

test("a settlement that the registry cannot understand does not hold up the rest", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    const settle = async (): Promise<never> => {
        throw new DependencyError("BUS_BAD_MESSAGE", "question to registry.release");
    };
    await using one = await open({ directory: directory.path, stream, settle });
    await end(one.outbox, "sessiona", release("sessiona"));
    await one.outbox.drained();
    assert.deepEqual(
        stream.stored.map(({ event }) => event.type),
        ["postern.session.late-counters.v1"],
    );
    assert.ok(one.log.find(/not a valid question/));
});

test("while the bus is gone events wait; on its return they go out in order", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    await using one = await open({ directory: directory.path, stream });
    stream.setConnected(false);
    for (const n of numbers(1, 20)) await note(one.outbox, String(n));
    assert.equal(one.outbox.statistics().waiting, 20);
    assert.ok(one.outbox.statistics().oldestAge >= 0);
    assert.equal(stream.attempts.length, 0);
    stream.setConnected(true);
    await one.outbox.drained();
    assert.deepEqual(details(stream), numbers(1, 20).map(String));
});

test("a stream that refuses is tried again, in order, and the trouble is said once", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    stream.failure = new DependencyError("BUS_REFUSED", "maximum bytes exceeded");
    await using one = await open({ directory: directory.path, stream });
    await note(one.outbox, "1");
    await note(one.outbox, "2");
    await eventually(() => assert.ok(one.outbox.statistics().retries >= 3));
    assert.equal(one.log.lines.filter(({ message }) => /cannot be published/.test(message)).length, 1);
    stream.failure = undefined;
    await one.outbox.drained();
    assert.deepEqual(details(stream), ["1", "2"]);
    assert.ok(one.log.find(/published again/));
});

test("what the stream acknowledged and then lost is published again, before what is new", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    let now = 0;
    await using one = await open(
        { directory: directory.path, stream, streamSyncInterval: 1_000 },
        { host: { ...thisHost, elapsed: () => now } },
    );
    for (const n of numbers(1, 5)) await note(one.outbox, String(n));
    await one.outbox.drained();
    now = 1_999;
    for (const n of numbers(6, 10)) await note(one.outbox, String(n));
    await one.outbox.drained();

    stream.setConnected(false);
    await note(one.outbox, "11");
    stream.lose(7);
    stream.setConnected(true);
    await one.outbox.drained();
    assert.deepEqual(stream.sequences(1), numbers(1, 11));

    // After twice the sync interval they are the stream's own: forgetting them writes down how far that is.
    const { bytes } = one.outbox.statistics();
    now += 2_000;
    await eventually(() => assert.ok(one.outbox.statistics().bytes > bytes));
    const attempts = stream.attempts.length;
    stream.setConnected(false);
    stream.setConnected(true);
    await note(one.outbox, "12");
    await one.outbox.drained();
    assert.equal(stream.attempts.length, attempts + 1);
});

test("a stream that was made anew is said loudly, and gets what is still kept", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    await using one = await open({ directory: directory.path, stream, streamSyncInterval: 60_000 });
    for (const n of numbers(1, 5)) await note(one.outbox, String(n));
    await one.outbox.drained();
    stream.setConnected(false);
    stream.lose(5);
    stream.setConnected(true);
    await one.outbox.drained();
    assert.deepEqual(stream.sequences(1), numbers(1, 5));
    assert.ok(one.log.find(/stream went back/));
});

test("each start is a new epoch, and what the last one left goes first under its own numbers", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    stream.setConnected(false);
    for (const epoch of [5, 6]) {
        await using one = await open({ directory: directory.path, stream, epoch });
        assert.equal(one.outbox.epoch, epoch);
        await note(one.outbox, `${epoch}a`);
        await note(one.outbox, `${epoch}b`);
    }
    // A clock that went back must not reuse an epoch.
    await using last = await open({ directory: directory.path, stream, epoch: 3 });
    assert.equal(last.outbox.epoch, 7);
    await note(last.outbox, "7a");
    stream.setConnected(true);
    await last.outbox.drained();
    assert.deepEqual(
        stream.stored.map(({ event }) => [event.epoch, event.sequence, (event.data as { detail: string }).detail]), // a note's
        [
            [5, 1, "5a"],
            [5, 2, "5b"],
            [6, 1, "6a"],
            [6, 2, "6b"],
            [7, 1, "7a"],
        ],
    );
    await eventually(async () =>
        assert.deepEqual(
            (await readdir(directory.path)).filter((name) => /^\d/.test(name)),
            ["7"],
        ),
    );
});

test("disk is given back segment by segment, and a restart repeats at most what was not yet forgotten", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    const first = await open({ directory: directory.path, stream, maxBytes: 64 * 1024 });
    for (let round = 0; round < 10; round += 1) {
        for (const n of numbers(1, 40)) await note(first.outbox, `${round} ${n} ${"x".repeat(200)}`);
        await first.outbox.drained();
        await eventually(() => assert.ok(first.outbox.statistics().bytes < 18 * 1024));
    }
    assert.equal((await readdir(`${directory.path}/1`)).length <= 3, true);
    await first.outbox.close();
    const attempts = stream.attempts.length;
    await using second = await open({ directory: directory.path, stream, epoch: 2 });
    await note(second.outbox, "next");
    await second.outbox.drained();
    assert.deepEqual(stream.attempts.slice(attempts), ["postern/main/session-worker/w1/2/1"]);
    assert.deepEqual(stream.sequences(1), numbers(1, 400));
});

test("a full outbox refuses events, still takes ends of sessions, and recovers", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    stream.setConnected(false);
    await using one = await open({ directory: directory.path, stream, maxBytes: 32 * 1024 });
    assert.ok(one.outbox.accepting);
    const filled = async (): Promise<void> => {
        for (;;) await note(one.outbox, "x".repeat(250));
    };
    await assert.rejects(filled(), { code: "OUTBOX_FULL" });
    const kept = one.outbox.statistics().waiting;
    assert.ok(kept > 20);
    await end(one.outbox, "sessiona");
    const ends = async (): Promise<void> => {
        for (;;) await end(one.outbox, "sessionb");
    };
    await assert.rejects(ends(), { code: "OUTBOX_FULL" });
    assert.equal(one.outbox.accepting, false);
    assert.ok(one.outbox.statistics().bytes <= 33 * 1024);
    stream.setConnected(true);
    await one.outbox.drained();
    await eventually(() => assert.ok(one.outbox.accepting));
    await note(one.outbox, "again");
    await one.outbox.drained();
    assert.equal(stream.sequences(1).length, new Set(stream.sequences(1)).size);
    assert.ok(stream.stored.length > kept + 2);
});

test("what is not durable, not valid or not settleable is a defect", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    await using one = await open({ directory: directory.path, stream: new MemoryStream() });
    const nothing = {} as never; // what a defect might give
    await assert.rejects(one.outbox.append(sessionUpdated, "s", nothing), {
        code: "INVARIANT",
        message: /not durable/,
    });
    await assert.rejects(one.outbox.append(sessionEnded, "s", nothing), {
        code: "INVARIANT",
        message: /session\.ended/,
    });
    const action = { action: "a", target: "t", by: "b" };
    await assert.rejects(one.outbox.append(adminAction, "s", action, release("sessiona")), {
        message: /cannot be settled/,
    });
    const large = { ...action, target: "x".repeat(600_000) };
    await assert.rejects(one.outbox.append(adminAction, "s", large), { code: "INVARIANT", message: /bytes/ });
    assert.equal(one.outbox.statistics().waiting, 0);
});

test("a closed outbox refuses, keeps what waits, and closes once", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    stream.setConnected(false);
    const one = await open({ directory: directory.path, stream });
    const written = note(one.outbox, "1");
    await Promise.all([one.outbox.close(), one.outbox.close()]);
    await written;
    await assert.rejects(note(one.outbox, "2"), { code: "OUTBOX_CLOSED" });
    assert.equal(one.outbox.accepting, false);
    stream.setConnected(true);
    await using two = await open({ directory: directory.path, stream, epoch: 2 });
    await two.outbox.drained();
    assert.deepEqual(details(stream), ["1"]);
});

test("waiting for an empty outbox can be given up", async () => {
    await using directory = await createTemporaryDirectory("outbox");
    const stream = new MemoryStream();
    stream.setConnected(false);
    await using one = await open({ directory: directory.path, stream });
    await note(one.outbox, "1");
    await assert.rejects(one.outbox.drained(AbortSignal.timeout(20)), { name: "TimeoutError" });
});
