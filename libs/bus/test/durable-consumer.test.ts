import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, beforeEach, test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { CONSUMERS, STREAMS } from "@postern/contracts";
import { eventually, startNatsServer, type NatsServer } from "@postern/testkit";
import { PINNED_GROUP } from "../src/requirements.ts";
import type { Consumer } from "../src/index.ts";
import { applyLayout, openBus, type TestBus } from "./test-bus.ts";

const SUBJECT = "postern.main.event.session.ended.00";
const SECOND = 1_000_000_000;

let server: NatsServer;
before(async () => {
    server = await startNatsServer();
});
after(() => server[Symbol.asyncDispose]());

/** A fresh stream and consumer, whose predecessors are given up after a second instead of ten. */
async function impatientConsumer(pinLasts = SECOND): Promise<void> {
    await applyLayout(server);
    const connection = await connect({ servers: server.url });
    const manager = await jetstreamManager(connection);
    const { config } = await manager.consumers.info(STREAMS.events, CONSUMERS.audit);
    await manager.consumers.update(STREAMS.events, CONSUMERS.audit, {
        ...config,
        ack_wait: SECOND,
        priority_timeout: pinLasts,
    });
    await connection.close();
}

beforeEach(async () => {
    const connection = await connect({ servers: server.url });
    const manager = await jetstreamManager(connection);
    await manager.streams.delete(STREAMS.events).catch(() => false);
    await connection.close();
    await impatientConsumer();
});

const text = new TextDecoder();

async function publish(from: number, to: number): Promise<void> {
    await using publisher = await openBus(server, "publisher");
    for (let n = from; n <= to; n += 1) await publisher.bus.publish(SUBJECT, String(n));
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);

async function unacknowledged(): Promise<number> {
    const connection = await connect({ servers: server.url });
    const { num_ack_pending: count } = await (
        await jetstreamManager(connection)
    ).consumers.info(STREAMS.events, CONSUMERS.audit);
    await connection.close();
    return count;
}

test("messages come in order and are acknowledged after the effect", async () => {
    await publish(1, 50);
    await using one = await openBus(server, "audit-a");
    const [effects, active]: [number[], boolean[]] = [[], []];
    const consumer = await one.bus.consume(CONSUMERS.audit, {
        pinned: true,
        batchSize: 20,
        onActive: (now) => active.push(now),
        onBatch: async (messages) => {
            assert.ok(messages.length <= 20);
            effects.push(...messages.map(({ payload }) => Number(text.decode(payload))));
        },
    });
    await eventually(() => assert.deepEqual(effects, numbers(1, 50)));
    assert.ok(consumer.active);
    await publish(51, 60);
    await eventually(() => assert.deepEqual(effects, numbers(1, 60)));
    await eventually(async () => assert.equal(await unacknowledged(), 0));
    await consumer.stop();
    assert.deepEqual(active, [true, false]);
});

test("a failing effect is repeated with the same batch, in order, and nothing overtakes it", async () => {
    await publish(1, 10);
    await using one = await openBus(server, "audit-a");
    const attempts: number[][] = [];
    await one.bus.consume(CONSUMERS.audit, {
        pinned: true,
        batchSize: 5,
        onBatch: async (messages) => {
            attempts.push(messages.map(({ payload }) => Number(text.decode(payload))));
            if (attempts.length <= 2) throw new Error("disk full");
        },
    });
    await eventually(() => assert.equal(attempts.slice(2).flat().length, 10));
    assert.deepEqual(attempts[0], attempts[1]);
    assert.deepEqual(attempts[1], attempts[2]);
    assert.deepEqual(attempts.slice(2).flat(), numbers(1, 10));
    assert.ok(one.log.find(/effect of events failed/));
});

test("a standby takes over at once when the active one stops", async () => {
    await using one = await openBus(server, "audit-a");
    await using two = await openBus(server, "audit-b");
    const effects: [string, number][] = [];
    const handlers = (name: string) => ({
        pinned: true,
        onBatch: async (messages: readonly { payload: Uint8Array }[]) => {
            effects.push(...messages.map(({ payload }): [string, number] => [name, Number(text.decode(payload))]));
        },
    });
    const first = await one.bus.consume(CONSUMERS.audit, handlers("a"));
    await publish(1, 5);
    await eventually(() => assert.equal(effects.length, 5));
    const second = await two.bus.consume(CONSUMERS.audit, handlers("b"));
    await publish(6, 10);
    await eventually(() => assert.equal(effects.length, 10));
    assert.ok(first.active && !second.active);
    assert.ok(effects.every(([name]) => name === "a"));

    await first.stop();
    await publish(11, 15);
    await eventually(() => assert.equal(effects.length, 15));
    assert.deepEqual(
        effects.slice(10).map(([name]) => name),
        Array(5).fill("b"),
    );
    assert.deepEqual(
        effects.map(([, n]) => n),
        numbers(1, 15),
    );
    assert.ok(second.active);
});

test("an idle active instance stays the active one", async () => {
    await impatientConsumer(3 * SECOND);
    await using one = await openBus(server, "audit-a");
    await using two = await openBus(server, "audit-b");
    const effects: string[] = [];
    const consume = ({ bus }: TestBus): Promise<Consumer> =>
        bus.consume(CONSUMERS.audit, {
            pinned: true,
            onBatch: async (messages) => {
                effects.push(...messages.map(({ payload }) => `${bus.instance} ${text.decode(payload)}`));
            },
        });
    const first = await consume(one);
    await publish(1, 1);
    await eventually(() => assert.equal(effects.length, 1));
    const second = await consume(two);
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    await publish(2, 2);
    await eventually(() => assert.deepEqual(effects, ["audit-a 1", "audit-a 2"]));
    assert.ok(first.active && !second.active);
});

test("what a killed predecessor left unacknowledged comes before what is new", { timeout: 30_000 }, async () => {
    await publish(1, 10);
    const dead = await connect({ servers: server.url });
    const predecessor = await (
        await jetstream(dead).consumers.get(STREAMS.events, CONSUMERS.audit)
    ).consume({
        max_messages: 4,
        threshold_messages: 1,
        group: PINNED_GROUP,
        callback: () => {
            received.push(1);
        },
    });
    const received: number[] = [];
    await eventually(() => assert.ok(received.length >= 4));
    predecessor.stop();
    await dead.close();

    await using two = await openBus(server, "audit-b");
    const effects: number[] = [];
    await two.bus.consume(CONSUMERS.audit, {
        pinned: true,
        onBatch: async (messages) => {
            effects.push(...messages.map(({ payload }) => Number(text.decode(payload))));
        },
    });
    // More than the predecessor left is new while the successor asks what is outstanding.
    await publish(11, 300);
    await eventually(() => assert.equal(effects.length, 300), { within: 15_000 });
    assert.deepEqual(effects, numbers(1, 300));
    await eventually(async () => assert.equal(await unacknowledged(), 0));
});

test("what the server repeats while a slow effect goes on is done once", async () => {
    await impatientConsumer(10 * SECOND);
    await publish(1, 10);
    await using one = await openBus(server, "audit-a");
    const effects: number[] = [];
    await one.bus.consume(CONSUMERS.audit, {
        pinned: true,
        batchSize: 5,
        // Longer than the second after which the server gives out again what is not acknowledged.
        onBatch: async (messages) => {
            await new Promise((resolve) => setTimeout(resolve, 2_500));
            effects.push(...messages.map(({ payload }) => Number(text.decode(payload))));
        },
    });
    await eventually(() => assert.equal(effects.length, 10), { within: 15_000 });
    await publish(11, 11);
    await eventually(async () => assert.equal(await unacknowledged(), 0));
    assert.deepEqual(effects, numbers(1, 11));
});

test("consuming goes on after a restart of the server", { timeout: 60_000 }, async () => {
    await using one = await openBus(server, "audit-a");
    const effects = new Set<number>();
    await one.bus.consume(CONSUMERS.audit, {
        pinned: true,
        onBatch: async (messages) => {
            for (const { payload } of messages) effects.add(Number(text.decode(payload)));
        },
    });
    await publish(1, 10);
    await eventually(() => assert.equal(effects.size, 10));
    await server.restart();
    await publish(11, 20);
    await eventually(
        () =>
            assert.deepEqual(
                [...effects].sort((a, b) => a - b),
                numbers(1, 20),
            ),
        { within: 30_000 },
    );
});

test(
    "consuming goes on after the store was lost and made anew, and the loss is said",
    { timeout: 60_000 },
    async () => {
        await using one = await openBus(server, "audit-a");
        const effects: string[] = [];
        await one.bus.consume(CONSUMERS.audit, {
            pinned: true,
            onBatch: async (messages) => {
                effects.push(...messages.map(({ payload }) => text.decode(payload)));
            },
        });
        await publish(1, 2);
        await eventually(() => assert.deepEqual(effects, ["1", "2"]));
        await server.stop();
        await rm(server.storeDirectory, { recursive: true });
        await server.start();
        await eventually(() => assert.ok(one.log.find(/events cannot be consumed/)), { within: 30_000 });
        await impatientConsumer();
        await publish(3, 4);
        await eventually(() => assert.deepEqual(effects, ["1", "2", "3", "4"]), { within: 30_000 });
    },
);

test("a consumer that is missing or not as declared is refused", async () => {
    await using one = await openBus(server, "audit-a");
    const onBatch = async (): Promise<void> => undefined;
    await assert.rejects(one.bus.consume("nobody", { onBatch }), {
        code: "BUS_NOT_APPLIED",
        message: /does not exist/,
    });
    await assert.rejects(one.bus.consume(CONSUMERS.audit, { onBatch }), {
        code: "BUS_NOT_APPLIED",
        message: /priority_policy is "pinned_client", wanted "none"/,
    });
});
