import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect } from "@nats-io/transport-node";
import {
    registryBan,
    registryQuery,
    sessionEnded,
    subjectsOf,
    workerDescribe,
    type CloudEvent,
    type DescribeAnswer,
} from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { eventually, startNatsServer, type NatsServer } from "@postern/testkit";
import type { BusMetrics } from "../src/index.ts";
import { applyLayout, openBus } from "./test-bus.ts";

const subjects = subjectsOf("main");
const DESCRIBE = subjects.worker("w1", "describe");
const description: DescribeAnswer = { worker: "w1", epoch: 1, state: "ready", sessions: [] };

let server: NatsServer;
before(async () => {
    server = await startNatsServer();
    await applyLayout(server);
});
after(() => server[Symbol.asyncDispose]());

class CountedMetrics implements BusMetrics {
    readonly counts: string[] = [];
    asked(request: string, outcome: string): void {
        this.counts.push(`asked ${request} ${outcome}`);
    }
    answered(request: string, outcome: string): void {
        this.counts.push(`answered ${request} ${outcome}`);
    }
    badMessage(where: string): void {
        this.counts.push(`bad ${where}`);
    }
    dropped(): void {
        this.counts.push("dropped");
    }
}

test("a question is answered, with defaults filled in on the answering side", async () => {
    const [metrics, workerMetrics] = [new CountedMetrics(), new CountedMetrics()];
    await using asker = await openBus(server, "r1", { metrics });
    await using answerer = await openBus(server, "w1", { metrics: workerMetrics });
    const questions: object[] = [];
    await answerer.bus.answer(subjects.registry.query, registryQuery, async (question) => {
        questions.push(question);
        return { sessions: [], more: true };
    });
    assert.deepEqual(await asker.bus.ask(subjects.registry.query, registryQuery, {}), { sessions: [], more: true });
    assert.deepEqual(questions, [{ limit: 200 }]);
    assert.deepEqual(metrics.counts, ["asked registry.query ok"]);
    assert.deepEqual(workerMetrics.counts, ["answered registry.query ok"]);
});

test("questions are shared within a queue group", async () => {
    await using asker = await openBus(server, "r1");
    await using one = await openBus(server, "b1");
    await using two = await openBus(server, "b2");
    const counts = new Map<string, number>();
    for (const { bus } of [one, two]) {
        await bus.answer(
            DESCRIBE,
            workerDescribe,
            async () => {
                counts.set(bus.instance, (counts.get(bus.instance) ?? 0) + 1);
                return description;
            },
            { queue: "group" },
        );
    }
    await Promise.all(Array.from({ length: 100 }, () => asker.bus.ask(DESCRIBE, workerDescribe, {})));
    assert.equal(
        [...counts.values()].reduce((sum, count) => sum + count, 0),
        100,
    );
    assert.equal(counts.size, 2);
});

test("nobody there, no answer in time, an impatient asker: each has its own outcome", async () => {
    const metrics = new CountedMetrics();
    await using asker = await openBus(server, "r1", { metrics });
    await assert.rejects(asker.bus.ask(DESCRIBE, workerDescribe, {}), { code: "BUS_NO_RESPONDERS" });

    await using silent = await openBus(server, "w1");
    const never = new Promise<never>(() => undefined);
    const answering = silent.bus.answer(DESCRIBE, workerDescribe, () => never);
    await answering;
    const start = performance.now();
    await assert.rejects(asker.bus.ask(DESCRIBE, workerDescribe, {}, { timeout: 100 }), { code: "BUS_TIMEOUT" });
    assert.ok(performance.now() - start < 900, "the option overrides the contract's second");

    const reason = new Error("client gone");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(asker.bus.ask(DESCRIBE, workerDescribe, {}, { signal }), reason);
    const controller = new AbortController();
    const asked = asker.bus.ask(DESCRIBE, workerDescribe, {}, { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(asked, reason);
    assert.deepEqual(metrics.counts, [
        "asked worker.describe no-responders",
        "asked worker.describe timeout",
        "asked worker.describe aborted",
        "asked worker.describe aborted",
    ]);
});

test("what breaks the contract is refused on both sides, and values are not repeated", async () => {
    const [metrics, workerMetrics] = [new CountedMetrics(), new CountedMetrics()];
    await using asker = await openBus(server, "r1", { metrics });
    await using answerer = await openBus(server, "w1", { metrics: workerMetrics });
    let answer: unknown = description;
    await answerer.bus.answer(DESCRIBE, workerDescribe, async () => answer as never); // what a defect would return

    const wrongQuestion = { session: "NOT VALID secret" };
    await assert.rejects(asker.bus.ask(DESCRIBE, workerDescribe, wrongQuestion), (error) => {
        assert.ok(error instanceof DependencyError && error.code === "BUS_BAD_MESSAGE");
        assert.match(error.message, /question to worker\.describe: session/);
        assert.doesNotMatch(error.message, /secret/);
        return true;
    });
    answer = { ...description, worker: "NOT AN ID" };
    await assert.rejects(asker.bus.ask(DESCRIBE, workerDescribe, {}), { code: "BUS_REMOTE_FAILED" });

    const stranger = await connect({ servers: server.url });
    const reply = await stranger.request(DESCRIBE, "not json");
    assert.equal(reply.headers?.get("Postern-Failure"), "BUS_BAD_MESSAGE");
    stranger.subscribe(subjects.registry.ban, {
        callback: (_, message) => {
            message.respond('{"bans":1}');
        },
    });
    await stranger.flush();
    await assert.rejects(asker.bus.ask(subjects.registry.ban, registryBan, { action: "list" }), {
        code: "BUS_BAD_MESSAGE",
        message: /answer of registry\.ban/,
    });
    await stranger.close();
    assert.deepEqual(
        metrics.counts.filter((count) => count.startsWith("bad")),
        ["bad registry.ban"],
    );
    assert.deepEqual(
        workerMetrics.counts.filter((count) => count.startsWith("bad")),
        ["bad worker.describe"],
    );
});

test("a handler that fails is told to the asker without its details, and logged with them", async () => {
    await using asker = await openBus(server, "r1");
    await using answerer = await openBus(server, "w1");
    await answerer.bus.answer(DESCRIBE, workerDescribe, async ({ session }) => {
        if (session === undefined) throw new Error("password hunter2");
        throw new DependencyError("BUS_BAD_MESSAGE", "of somebody that the handler asked");
    });
    await assert.rejects(asker.bus.ask(DESCRIBE, workerDescribe, {}), (error) => {
        assert.ok(error instanceof DependencyError && error.code === "BUS_REMOTE_FAILED");
        assert.match(error.message, /worker\.describe: internal error/);
        return true;
    });
    await assert.rejects(asker.bus.ask(DESCRIBE, workerDescribe, { session: "abcdefgh" }), {
        code: "BUS_REMOTE_FAILED",
        message: /BUS_BAD_MESSAGE/,
    });
    assert.ok(answerer.log.find(/could not answer/));
});

test("a responder handles so many at once, holds a bounded number, and refuses the rest", async () => {
    await using asker = await openBus(server, "r1");
    await using answerer = await openBus(server, "w1");
    const gate = Promise.withResolvers<void>();
    let [running, most] = [0, 0];
    const answering = await answerer.bus.answer(
        DESCRIBE,
        workerDescribe,
        async () => {
            most = Math.max(most, (running += 1));
            await gate.promise;
            running -= 1;
            return description;
        },
        { concurrency: 2 },
    );
    const asked = Array.from({ length: 40 }, () => asker.bus.ask(DESCRIBE, workerDescribe, {}, { timeout: 10_000 }));
    const settled = Promise.allSettled(asked);
    await eventually(() => assert.equal(most, 2));
    gate.resolve();
    const results = await settled;
    const refused = results.filter((result) => result.status === "rejected");
    assert.equal(refused.length, 40 - 2 - 2 * 16);
    assert.ok(refused.every(({ reason }) => reason instanceof DependencyError && reason.code === "BUS_OVERLOADED"));
    assert.equal(most, 2);
    await answering.stop();
    await assert.rejects(asker.bus.ask(DESCRIBE, workerDescribe, {}), { code: "BUS_NO_RESPONDERS" });
});

test("stop finishes what was begun", async () => {
    await using asker = await openBus(server, "r1");
    await using answerer = await openBus(server, "w1");
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const answering = await answerer.bus.answer(DESCRIBE, workerDescribe, async () => {
        begun.resolve();
        await gate.promise;
        return description;
    });
    const asked = asker.bus.ask(DESCRIBE, workerDescribe, {});
    await begun.promise;
    const stopped = answering.stop();
    gate.resolve();
    await stopped;
    assert.equal((await asked).worker, "w1");
});

test(
    "while the bus is gone, questions wait for it and then fail; emitted events are dropped and counted",
    { timeout: 60_000 },
    async () => {
        await using own = await startNatsServer();
        const metrics = new CountedMetrics();
        await using asker = await openBus(own, "r1", { metrics });
        await using answerer = await openBus(own, "w1");
        await answerer.bus.answer(DESCRIBE, workerDescribe, async () => description);
        await own.kill();
        await eventually(() => assert.ok(!asker.bus.status.connected && !answerer.bus.status.connected));
        const start = performance.now();
        await assert.rejects(asker.bus.ask(DESCRIBE, workerDescribe, {}, { timeout: 200 }), {
            code: "BUS_UNAVAILABLE",
        });
        assert.ok(performance.now() - start >= 190);
        asker.bus.emit("postern.main.event.session.updated.00", "{}");
        assert.ok(metrics.counts.includes("dropped"));

        const waiting = asker.bus.ask(DESCRIBE, workerDescribe, {}, { timeout: 20_000 });
        await own.start();
        const first = await waiting.catch((error: unknown) => error);
        // The answerer may be the later one to come back.
        if (first instanceof DependencyError) assert.equal(first.code, "BUS_NO_RESPONDERS");
        await eventually(async () => assert.equal((await asker.bus.ask(DESCRIBE, workerDescribe, {})).worker, "w1"));
    },
);

test("publishing is acknowledged by the stream, repetitions are known by their id", async () => {
    await using one = await openBus(server, "w1");
    const subject = subjects.event(sessionEnded, "s1");
    const first = await one.bus.publish(subject, "{}", { id: "w1/1/1" });
    assert.equal(first.stream, "EVENTS");
    assert.equal(first.duplicate, false);
    const again = await one.bus.publish(subject, "{}", { id: "w1/1/1" });
    assert.deepEqual(again, { ...first, duplicate: true });
    await assert.rejects(one.bus.publish("postern.main.nowhere", "{}"), {
        code: "BUS_NOT_APPLIED",
        message: /no stream/,
    });
});

test("a full event stream refuses what comes next and keeps what it has", async () => {
    await using own = await startNatsServer();
    await applyLayout(own, { eventsMaxBytes: 4_096 });
    await using one = await openBus(own, "w1");
    const subject = subjects.event(sessionEnded, "s1");
    const filled = async (): Promise<void> => {
        for (;;) await one.bus.publish(subject, "x".repeat(500));
    };
    await assert.rejects(filled(), { code: "BUS_REFUSED", message: /maximum bytes/ });
});

test("a tail follows from now, from a time, or from a sequence, and skips what is no event", async () => {
    await using one = await openBus(server, "cli");
    const subject = subjects.event(sessionEnded, "s2");
    const event = (about: string): string =>
        JSON.stringify({
            specversion: "1.0",
            id: about,
            source: "postern/main/session-worker/w1",
            type: "postern.session.ended.v1",
            subject: about,
            time: "2026-01-01T00:00:00.000Z",
            datacontenttype: "application/json",
            instance: "w1",
            data: {},
        });
    const { sequence } = await one.bus.publish(subject, event("first"));
    const collected = (): { seen: string[]; onEvent: (event: CloudEvent) => void } => {
        const seen: string[] = [];
        return { seen, onEvent: ({ subject }) => seen.push(subject) };
    };
    const [fromNow, fromSequence, fromTime] = [collected(), collected(), collected()];
    const tails = [
        await one.bus.tail(subjects.eventFilter("session", "ended"), {}, fromNow.onEvent),
        await one.bus.tail(subjects.eventFilter(), { from: sequence }, fromSequence.onEvent),
        await one.bus.tail(subjects.eventFilter(), { from: new Date(Date.now() - 60_000) }, fromTime.onEvent),
    ];
    await one.bus.publish(subject, "no event");
    await one.bus.publish(subject, event("second"));
    await eventually(() => assert.deepEqual(fromNow.seen, ["second"]));
    await eventually(() => assert.deepEqual(fromSequence.seen, ["first", "second"]));
    await eventually(() => assert.deepEqual(fromTime.seen.slice(-2), ["first", "second"]));
    assert.ok(one.log.find(/event is skipped/));
    for (const tail of tails) await tail.stop();
    await one.bus.publish(subject, event("third"));
    const probe = collected();
    await one.bus.tail(subjects.eventFilter(), { from: sequence }, probe.onEvent);
    await eventually(() => assert.deepEqual(probe.seen, ["first", "second", "third"]));
    assert.deepEqual(fromNow.seen, ["second"]);
});

test("a tail goes on after a restart of the server", { timeout: 60_000 }, async () => {
    await using own = await startNatsServer();
    await applyLayout(own);
    await using one = await openBus(own, "cli");
    const subject = subjects.event(sessionEnded, "s2");
    const seen: number[] = [];
    await one.bus.tail(subjects.eventFilter(), { from: 1 }, (_, __, streamSequence) => seen.push(streamSequence));
    const event = JSON.stringify({
        specversion: "1.0",
        id: "x",
        source: "x",
        type: "x",
        subject: "x",
        time: "2026-01-01T00:00:00.000Z",
        datacontenttype: "application/json",
        instance: "w1",
        data: {},
    });
    await one.bus.publish(subject, event);
    await eventually(() => assert.deepEqual(seen, [1]));
    await own.restart();
    await eventually(() => assert.ok(one.bus.status.connected));
    await one.bus.publish(subject, event);
    await eventually(() => assert.deepEqual(seen, [1, 2]), { within: 30_000 });
});

test("close is idempotent and stops everything", async () => {
    const one = await openBus(server, "w1");
    await one.bus.answer(DESCRIBE, workerDescribe, async () => description);
    await Promise.all([one.bus.close(), one.bus.close()]);
    await one.bus.close();
    await assert.rejects(
        one.bus.answer(DESCRIBE, workerDescribe, async () => description),
        { code: "BUS_UNAVAILABLE" },
    );
    await assert.rejects(one.bus.ask(DESCRIBE, workerDescribe, {}, { timeout: 10 }), { code: "BUS_UNAVAILABLE" });
});
