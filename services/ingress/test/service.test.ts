// An ingress on a real NATS server that goes away and comes back.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { applyBus, connectBus, type Bus } from "@postern/bus";
import { parseConfig } from "@postern/config";
import { BUCKETS, connectionClosed, connectionsDescribe, ingressRejected } from "@postern/contracts";
import type { ServiceContext } from "@postern/service";
import { createLogger, createMetrics } from "@postern/telemetry";
import { eventually, type NatsServer, silentLog, startNatsServer, waitForValue } from "@postern/testkit";
import { Ingress } from "../src/service.ts";
import { dial, FakeWorker } from "./fleet.ts";

const WORKER_TTL = 1_000;

const connect = (nats: NatsServer, instance: string): Promise<Bus> =>
    connectBus({ servers: [nats.url], instance, tenant: "main", log: silentLog });

const CONFIGURATION = `
name: vpn.example.test
nats: { servers: ["nats://127.0.0.1:4222"] }
ingress:
  listen: ["127.0.0.1:0"]
  health: { interval: 100ms }
  limits: { perSource: 3 }
  tcp: { sampleInterval: 1s }
  lostAfter: 1s
  stopWithin: 2s
  instances: { i1: {} }
`;

/** What a worker does to be known. */
async function announce(bus: Bus, worker: FakeWorker): Promise<Disposable> {
    const bucket = await bus.bucket(BUCKETS.workers);
    const put = (): Promise<unknown> => bucket.put(worker.name, worker.record()).catch(() => undefined);
    await put();
    const timer = setInterval(() => void put(), WORKER_TTL / 4);
    return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function startService(bus: Bus) {
    const { ingress: section } = parseConfig(CONFIGURATION, "/postern.yaml", { service: "ingress", instance: "i1" });
    const told: { readonly about: string; readonly contract: unknown; readonly data: unknown }[] = [];
    const lines: object[] = [];
    const log = createLogger({
        service: "ingress",
        instance: "i1",
        level: "info",
        destination: { write: (line) => void lines.push(JSON.parse(line) as object) }, // a log line is an object
    });
    const metrics = createMetrics({ service: "ingress", instance: "i1", processMetrics: false });
    const context = {
        instance: "i1",
        epoch: 1,
        section,
        log,
        metrics,
        bus,
        events: {
            accepting: true,
            append: (contract: unknown, about: string, data: unknown) => {
                told.push({ contract, about, data });
                return Promise.resolve();
            },
            emit: (contract: unknown, about: string, data: unknown) => void told.push({ contract, about, data }),
        },
    } as unknown as ServiceContext<typeof section>; // without the rest of the configuration, which an ingress does not read
    const service = new Ingress(context);
    await service.start();
    const ready = lines.find((line) => "listen" in line) as { readonly listen: readonly string[] }; // its own line
    return { service, told, metrics, port: Number(ready.listen[0]?.split(":").at(-1)) };
}

test("an ingress whose bus goes away lives on with what it knows, and catches up when the bus is back", async () => {
    await using nats = await startNatsServer();
    await using buses = new AsyncDisposableStack();
    const admin = buses.adopt(await connect(nats, "admin"), (one) => one.close());
    await applyBus(admin, { replicas: 1, eventsMaxAge: 3_600_000, eventsMaxBytes: 2 ** 24, workerTtl: WORKER_TTL });
    await using first = await FakeWorker.start("w1");
    using _heartbeat = await announce(admin, first);
    const bus = buses.adopt(await connect(nats, "i1"), (one) => one.close());
    const { service, port, told } = await startService(bus);
    await eventually(() => assert.equal(service.readiness(), undefined));
    await using before = await dial(port);
    assert.equal(await before.say("x"), "w1:x");

    await nats.stop();
    // Longer than any record lives, and than it takes to give a worker up.
    for (let seconds = 0; seconds < 3; seconds += 1) {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        await using during = await dial(port);
        assert.equal(await during.say("x"), "w1:x");
    }
    await nats.start();
    // At no moment on the way back is there nobody.
    for (let times = 0; times < 30; times += 1) {
        await using during = await dial(port);
        assert.equal(await during.say("x"), "w1:x");
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(await before.say("y"), "w1:y");
    await using second = await FakeWorker.start("w2");
    using _second = await announce(admin, second);
    await eventually(async () => {
        await using after = await dial(port);
        assert.equal(await after.say("x"), "w2:x");
    });
    assert.equal(service.readiness(), undefined);
    assert.deepEqual(
        told.filter(({ contract }) => contract === ingressRejected),
        [],
    );
    const stopped = service.stop("test");
    await stopped;
    assert.equal(service.readiness(), "not listening");
    assert.ok(told.some(({ contract }) => contract === connectionClosed));
});

test("refusals are summed up in one event, and a stop lets connections end by themselves first", async () => {
    await using nats = await startNatsServer();
    await using buses = new AsyncDisposableStack();
    const admin = buses.adopt(await connect(nats, "admin"), (one) => one.close());
    await applyBus(admin, { replicas: 1, eventsMaxAge: 3_600_000, eventsMaxBytes: 2 ** 24, workerTtl: 60_000 });
    const bus = buses.adopt(await connect(nats, "i1"), (one) => one.close());
    const { service, port, told, metrics } = await startService(bus);
    assert.equal(service.readiness(), "no worker takes connections");
    await using worker = await FakeWorker.start("w1");
    using _heartbeat = await announce(admin, worker);
    await eventually(() => assert.equal(service.readiness(), undefined));
    await using client = await dial(port);
    await using one = await dial(port);
    await using two = await dial(port);
    for (let times = 0; times < 5; times += 1) await assert.rejects(dial(port));
    const ask = () => admin.ask(admin.subjects.ingress("i1", "connections"), connectionsDescribe, {});
    const { connections } = await waitForValue(async () => {
        const answer = await ask();
        return answer.connections.every(({ path }) => path !== undefined) ? answer : undefined;
    });
    assert.deepEqual(
        new Set(connections.map((connection) => connection.client.port)),
        new Set([client, one, two].map(({ tls }) => tls.localPort)),
    );
    assert.ok(connections.every(({ worker, path }) => worker === "w1" && (path?.rtt ?? 0) > 0));
    const stopped = service.stop("test");
    assert.equal(await client.say("x"), "w1:x");
    assert.equal(await one.say("x"), "w1:x");
    await assert.rejects(dial(port));
    const closed = once(two.tls, "close");
    const begun = performance.now();
    await closed;
    assert.ok(performance.now() - begun > 500, "half of the time that a stop may take");
    await stopped;
    const summary = told.filter(({ contract }) => contract === ingressRejected);
    assert.equal(summary.length, 1);
    assert.partialDeepStrictEqual(summary[0]?.data, { source: "127.0.0.1", reason: "source-limit", count: 5 });
    const text = await metrics.expose();
    assert.match(text, /connections_rejected_total\{reason="source-limit",instance="i1"\} 5/);
    assert.match(text, /connections_placed_total\{instance="i1"\} 3/);
    assert.match(text, /client_rtt_seconds_bucket\{le="\+Inf",instance="i1"\} [1-9]/);
    assert.match(text, /client_segments_sent_total\{instance="i1"\} [1-9]/);
    assert.match(text, /client_segments_(?:retransmitted|lost)_total\{instance="i1"\} \d/);
    const ended = told.filter(({ contract }) => contract === connectionClosed).map(({ data }) => data);
    for (const end of ended) assert.ok((connectionClosed.data.parse(end).path?.segmentsOut ?? 0) > 0);
    assert.equal(ended.length, 3);
    assert.match(text, /connections_closed_total\{reason="ingress-stop",instance="i1"\} 3/);
});
