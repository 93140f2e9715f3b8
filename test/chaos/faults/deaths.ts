// Processes of postern that die, hang, are cut off or told to go: one at a time and two at once.
import { waitForValue } from "@postern/testkit";
import { setTimeout as delay } from "node:timers/promises";
import type { Stage } from "../stage.ts";
import { type Fault, hang, ingressClients, kill, nobody, workersClients } from "./fault.ts";
import { cutPorts } from "./port-cut.ts";

/** Longer than any process needs to be called lost: 20 s of silence after the 10 s for which a record lasts. */
const LONG_HANG = 45_000;
const LOST_WITHIN = 90_000;
const DRAIN_OVER = 10_000;

/** The order of `make start`: NATS, worker-1, worker-2, then the admin listeners. */
const workerPort = (stage: Stage, number: number): number => stage.natsPort + number;

async function hangUntilLost(stage: Stage): Promise<void> {
    const clients = await stage.clientsOfWorker("worker-2");
    const begun = performance.now();
    const pid = stage.pid("session-worker", 2);
    process.kill(pid, "SIGSTOP");
    try {
        await delay(LONG_HANG);
        await waitForValue(() => (stage.population.lostSince(begun).length >= clients.length ? true : undefined), {
            within: LOST_WITHIN,
            what: "its clients to be let go",
        });
    } finally {
        process.kill(pid, "SIGCONT");
    }
}

/** Without a kill: it ends by itself, and is started again. */
async function terminate(stage: Stage): Promise<void> {
    const pid = stage.pid("session-worker", 2);
    process.kill(pid, "SIGTERM");
    await stage.untilReplaced([pid]);
}

/** `postern drain`, and then a restart, which is the way back. */
async function drain(stage: Stage): Promise<void> {
    await stage.postern.postern("drain", "worker-1", "--over", `${DRAIN_OVER / 1_000}s`);
    await waitForValue(async () => ((await stage.clientsOfWorker("worker-1")).length === 0 ? true : undefined), {
        within: DRAIN_OVER * 3,
        every: 500,
        what: "worker-1 to be empty",
    });
    const pid = stage.pid("session-worker", 1);
    process.kill(pid, "SIGTERM");
    await stage.untilReplaced([pid]);
}

export const DEATHS: readonly Fault[] = [
    { name: "session-worker killed", isBrief: true, costs: workersClients(1), inject: kill(["session-worker", 1]) },
    { name: "session-worker hung for 8 s", costs: nobody, inject: hang(8_000, "session-worker", 2) },
    { name: "session-worker hung until it is lost", costs: workersClients(2), inject: hangUntilLost },
    {
        name: "session-worker cut off without a reset for 8 s",
        costs: nobody,
        inject: (stage) => cutPorts([workerPort(stage, 1)], "drop", 8_000),
    },
    { name: "session-worker drained over 10 s", costs: workersClients(1), inject: drain },
    { name: "session-worker told to stop (SIGTERM)", costs: workersClients(2), inject: terminate },
    { name: "ingress killed", isBrief: true, costs: ingressClients(1), inject: kill(["ingress", 1]) },
    { name: "ingress hung for 8 s", costs: nobody, inject: hang(8_000, "ingress", 2) },
    { name: "session-registry killed", costs: nobody, inject: kill(["session-registry", 1]) },
    { name: "session-registry hung for 20 s", costs: nobody, inject: hang(20_000, "session-registry", 2) },
    { name: "auth-broker killed", costs: nobody, inject: kill(["auth-broker", 1]) },
    { name: "auth-broker hung for 20 s", costs: nobody, inject: hang(20_000, "auth-broker", 2) },
    { name: "audit-logger hung for 20 s", costs: nobody, inject: hang(20_000, "audit-logger", 1) },
    {
        name: "both audit-loggers killed",
        isBrief: true,
        costs: nobody,
        inject: kill(["audit-logger", 1], ["audit-logger", 2]),
    },
    {
        name: "one registry and one broker killed",
        isBrief: true,
        costs: nobody,
        inject: kill(["session-registry", 2], ["auth-broker", 2]),
    },
    { name: "both registries killed", costs: nobody, inject: kill(["session-registry", 1], ["session-registry", 2]) },
    { name: "both brokers killed", costs: nobody, inject: kill(["auth-broker", 1], ["auth-broker", 2]) },
    {
        name: "session-worker and registry killed",
        costs: workersClients(1),
        inject: kill(["session-worker", 1], ["session-registry", 1]),
    },
    {
        name: "session-worker and ingress killed",
        costs: async (stage) => [
            ...new Set([...(await workersClients(1)(stage)), ...(await ingressClients(2)(stage))]),
        ],
        inject: kill(["session-worker", 1], ["ingress", 2]),
    },
];
