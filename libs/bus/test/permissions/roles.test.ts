// What each role may do, and what it may not.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
    adminAction,
    authContinue,
    authStart,
    BUCKETS,
    CONSUMERS,
    registryQuery,
    sessionEnded,
    subjectsOf,
    workerDescribe,
    type BucketContract,
} from "@postern/contracts";
import { eventually } from "@postern/testkit";
import { inboxPrefix } from "../../src/connect.ts";
import type { TestBus } from "../test-bus.ts";
import { SecuredServer } from "./secured-server.ts";

const subjects = subjectsOf("main");
const server = await SecuredServer.start();
after(() => server[Symbol.asyncDispose]());

/** No permission was missing: the server reports each violation, and the bus logs it. */
function assertNoViolation({ log }: TestBus): void {
    assert.deepEqual(
        log.lines.filter(({ level }) => level !== "info"),
        [],
    );
}

/** Reads a bucket in every way that services do. */
async function assertReads({ bus }: TestBus, contract: BucketContract): Promise<void> {
    const bucket = await bus.bucket(contract);
    assert.equal(await bucket.get("absent"), undefined);
    await bucket.keys();
    await bucket.entries();
    const watch = await bucket.watch(() => undefined);
    await watch.ready;
    watch.stop();
}

const record = { worker: "w1", epoch: 1, state: "ready", host: "h", endpoint: { host: "h", port: 1 } } as const;
const ban = {
    source: "10.0.0.1",
    reason: "",
    by: "x",
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-01T00:00:00.000Z",
};

test("ingress: reads workers and bans, tells ingress events, and nothing else", async () => {
    await using ingress = await server.open("i1");
    await assertReads(ingress, BUCKETS.workers);
    await assertReads(ingress, BUCKETS.bans);
    await ingress.bus.publish(subjects.event({ kind: "ingress", name: "rejected" }, "10.0.0.1"), "{}");
    ingress.bus.emit(subjects.event({ kind: "connection", name: "closed" }, "c1"), "{}");
    await ingress.bus.publish(subjects.event({ kind: "connection", name: "closed" }, "c1"), "{}");
    assertNoViolation(ingress);

    await server.assertRefused("i1", {
        publish: [
            "$JS.API.STREAM.INFO.KV_accounts",
            "$JS.API.STREAM.MSG.GET.KV_accounts",
            "$JS.API.CONSUMER.CREATE.KV_accounts.x.$KV.accounts.>",
            "$JS.API.DIRECT.GET.KV_accounts.$KV.accounts.alice",
            "$JS.API.STREAM.MSG.GET.KV_sessions",
            "$KV.workers.w1",
            "$KV.bans.x",
            subjects.authStart,
            subjects.registry.ban,
            subjects.event(sessionEnded, "s1"),
        ],
        subscribe: [subjects.authStart, "$KV.accounts.>", `${inboxPrefix("w1")}.>`, ">", subjects.eventFilter()],
    });
});

test("session-worker: asks broker and registry, answers for itself, renews its own record", async () => {
    await using worker = await server.open("w1");
    await using registry = await server.open("r1");
    await using broker = await server.open("b1");
    const workers = await worker.bus.bucket(BUCKETS.workers);
    await workers.put("w1", { ...record, sessions: 0, capacity: 1, version: "1" });
    assert.equal(await workers.delete("w1"), true);
    await workers.put("w1", { ...record, sessions: 0, capacity: 1, version: "1" });
    for (const kind of ["session", "binding", "worker", "connection", "cert", "auth"] as const) {
        await worker.bus.publish(subjects.event({ kind, name: "x" }, "s1"), "{}");
    }
    const answering = await worker.bus.answer(subjects.worker("w1", "describe"), workerDescribe, async () => ({
        worker: "w1",
        epoch: 1,
        state: "ready",
        sessions: [],
    }));
    assert.equal((await registry.bus.ask(subjects.worker("w1", "describe"), workerDescribe, {})).worker, "w1");
    await answering.stop();

    const handler = async () => ({ conversation: "c", next: "b1", state: "pending" }) as never; // only the way matters
    await broker.bus.answer(subjects.authStart, authStart, handler, { queue: "auth-broker" });
    await broker.bus.answer(subjects.authContinue("b1"), authContinue, handler);
    const asked = await server.attempt("w1", {
        publish: [
            subjects.authStart,
            subjects.authContinue("b1"),
            subjects.registry.admit,
            subjects.registry.release,
            subjects.registry.snapshot,
            subjects.registry.resume,
        ],
    });
    assert.deepEqual(asked.refused, []);
    await eventually(() => assert.ok(broker.log.find(/breaks its contract/)), { what: "the questions to arrive" });
    assertNoViolation(worker);
    assertNoViolation(registry);

    await server.assertRefused("w1", {
        publish: [
            "$KV.sessions.s1",
            "$KV.leases.10-0-0-1",
            "$KV.workers.w2",
            "$KV.accounts.alice",
            // A consumer that delivers this worker's own record to subjects that it may not publish to.
            "$JS.API.CONSUMER.CREATE.KV_workers.x.$KV.workers.w1",
            "$JS.API.CONSUMER.CREATE.KV_workers.x",
            "$JS.API.CONSUMER.CREATE.KV_workers",
            "$JS.API.CONSUMER.DURABLE.CREATE.KV_workers.x",
            "$JS.API.STREAM.MSG.GET.KV_sessions",
            "$JS.API.STREAM.MSG.GET.KV_accounts",
            "$JS.API.STREAM.CREATE.X",
            "$JS.API.STREAM.UPDATE.KV_workers",
            "$JS.API.STREAM.DELETE.KV_workers",
            "$JS.API.STREAM.PURGE.KV_workers",
            "$JS.API.STREAM.MSG.DELETE.KV_workers",
            "$JS.API.CONSUMER.MSG.NEXT.EVENTS.audit-logger",
            "$JS.API.STREAM.INFO.EVENTS",
            subjects.registry.query,
            subjects.registry.ban,
            subjects.worker("w2", "disconnect"),
            subjects.event(adminAction, "x"),
            subjects.checkpoint("w1"),
            `${inboxPrefix("w2")}.x`,
        ],
        subscribe: [
            subjects.authStart,
            subjects.authContinue("b1"),
            subjects.registry.admit,
            subjects.worker("w2", "describe"),
            `${inboxPrefix("w2")}.>`,
            `${inboxPrefix("w2")}.x`,
            "_INBOX.>",
            "*.>",
            "$KV.workers.>",
            subjects.eventFilter(),
        ],
    });
});

test("auth-broker: answers logins, keeps its state, reads accounts but does not change them", async () => {
    await using broker = await server.open("b1");
    await using worker = await server.open("w1");
    await assertReads(broker, BUCKETS.accounts);
    await assertReads(broker, BUCKETS.authState);
    await broker.bus.publish(subjects.event({ kind: "auth", name: "failed" }, "x"), "{}");
    const asked = await server.attempt("b1", {
        publish: [
            subjects.registry.ban,
            subjects.registry.query,
            subjects.worker("w1", "disconnect"),
            "$KV.auth-state.lock.x",
        ],
    });
    assert.deepEqual(asked.refused, []);
    assertNoViolation(broker);

    await server.assertRefused("b1", {
        publish: [
            "$KV.accounts.alice",
            "$KV.sessions.s1",
            "$JS.API.STREAM.MSG.GET.KV_sessions",
            subjects.registry.admit,
            subjects.worker("w1", "describe"),
            subjects.event(sessionEnded, "s1"),
            "$JS.API.STREAM.PURGE.KV_auth-state",
        ],
        subscribe: [subjects.registry.ban, subjects.authContinue("b2"), subjects.worker("w1", "describe")],
    });
    assertNoViolation(worker);
});

test("session-registry: answers for the registry, keeps sessions, asks workers", async () => {
    await using registry = await server.open("r1");
    await using operator = await server.open("operator");
    for (const name of ["workers", "sessions", "leases", "users", "fleet", "bans"] as const) {
        await assertReads(registry, BUCKETS[name]);
    }
    const bans = await registry.bus.bucket(BUCKETS.bans);
    const revision = await bans.create("x", ban, { ttlSeconds: 60 });
    assert.ok(revision !== undefined);
    assert.equal(await bans.delete("x", revision), true);
    await registry.bus.answer(subjects.registry.query, registryQuery, async () => ({ sessions: [], more: false }));
    assert.deepEqual(await operator.bus.ask(subjects.registry.query, registryQuery, {}), { sessions: [], more: false });
    const asked = await server.attempt("r1", {
        publish: [
            subjects.worker("w1", "describe"),
            subjects.worker("w2", "disconnect"),
            subjects.registry.release,
            "$KV.sessions.s1",
            "$KV.leases.x",
            "$KV.users.x",
        ],
    });
    assert.deepEqual(asked.refused, []);
    await registry.bus.publish(subjects.event(sessionEnded, "s1"), "{}");
    assertNoViolation(registry);

    await server.assertRefused("r1", {
        publish: [
            "$KV.workers.w1",
            "$KV.accounts.alice",
            "$JS.API.STREAM.MSG.GET.KV_accounts",
            "$JS.API.STREAM.MSG.GET.KV_auth-state",
            subjects.authStart,
            subjects.worker("w1", "drain"),
            "$JS.API.STREAM.DELETE.KV_sessions",
        ],
        subscribe: [subjects.authStart, subjects.worker("w1", "describe"), `${inboxPrefix("w1")}.>`],
    });
});

test("audit-logger: works through its consumer, signs checkpoints, and reads no state", async () => {
    await using logger = await server.open("a1");
    await using worker = await server.open("w1");
    await worker.bus.publish(subjects.event({ kind: "session", name: "x" }, "s1"), "{}");
    const seen: number[] = [];
    const consumer = await logger.bus.consume(CONSUMERS.audit, {
        pinned: true,
        onBatch: async (messages) => {
            seen.push(...messages.map(({ streamSequence }) => streamSequence));
        },
    });
    await eventually(() => assert.ok(seen.length > 0));
    await consumer.stop();
    await logger.bus.publish(subjects.checkpoint("a1"), "{}");
    const tail = await logger.bus.tail(subjects.checkpointFilter, { stream: "checkpoints", from: 1 }, () => undefined);
    await eventually(() => assert.ok(logger.log.find(/event is skipped/)), { what: "the checkpoint to be read" });
    await tail.stop();
    assert.deepEqual(
        logger.log.lines.filter(({ message }) => /NATS reports an error/.test(message)),
        [],
    );

    await server.assertRefused("a1", {
        publish: [
            subjects.checkpoint("a2"),
            subjects.event(sessionEnded, "s1"),
            "$JS.API.CONSUMER.CREATE.EVENTS.audit-logger.postern.main.event.>",
            "$JS.API.CONSUMER.DELETE.EVENTS.audit-logger",
            "$JS.API.STREAM.MSG.DELETE.EVENTS",
            "$JS.API.STREAM.PURGE.CHECKPOINTS",
            "$JS.API.STREAM.MSG.GET.KV_sessions",
        ],
        subscribe: [subjects.eventFilter(), subjects.authStart, "$KV.>"],
    });
});

test("subscriber: follows events and can neither publish nor touch the audit consumer", async () => {
    await using siem = await server.open("siem");
    await using worker = await server.open("w1");
    const event = {
        specversion: "1.0",
        id: "postern/main/session-worker/w1/1/1",
        source: "postern/main/session-worker/w1",
        type: "postern.session.x.v1",
        subject: "s1",
        time: "2026-01-01T00:00:00.000Z",
        datacontenttype: "application/json",
        instance: "w1",
        data: {},
    };
    const seen: string[] = [];
    const tail = await siem.bus.tail(subjects.eventFilter("session"), {}, ({ subject }) => seen.push(subject));
    await worker.bus.publish(subjects.event({ kind: "session", name: "x" }, "s1"), JSON.stringify(event));
    await eventually(() => assert.deepEqual(seen, ["s1"]));
    await tail.stop();
    assertNoViolation(siem);

    await server.assertRefused("siem", {
        publish: [
            "$JS.API.CONSUMER.CREATE.EVENTS.audit-logger.postern.main.event.>",
            "$JS.API.CONSUMER.MSG.NEXT.EVENTS.audit-logger",
            "$JS.API.CONSUMER.DELETE.EVENTS.audit-logger",
            "$JS.API.CONSUMER.CREATE.EVENTS",
            "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.audit-logger",
            "$JS.API.STREAM.MSG.DELETE.EVENTS",
            "$JS.ACK.EVENTS.audit-logger.1.1.1.1.0",
            "$JS.API.STREAM.MSG.GET.KV_sessions",
            subjects.event(sessionEnded, "s1"),
            subjects.authStart,
        ],
        subscribe: [subjects.eventFilter(), `${inboxPrefix("w1")}.>`],
    });
});
