// What goes wrong, and what it may cost by design: the sessions of a dead worker, the connections of a dead ingress, nothing else.
import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { waitForValue } from "@postern/testkit";
import type { Stage, Target } from "./stage.ts";

const run = promisify(execFile);
/** Longer than any process needs to be called lost: 20 s of silence after the 10 s for which a record lasts. */
const LONG_HANG = 45_000;
const LOST_WITHIN = 90_000;

export interface Fault {
    readonly name: string;
    /** Also in the short run. */
    readonly isBrief?: true;
    /** Source addresses of the clients that lose their session; asked before. */
    readonly costs: (stage: Stage) => Promise<readonly string[]>;
    /** Does it; resolves when everything may be well again. */
    readonly inject: (stage: Stage) => Promise<void>;
}

const nobody = async (): Promise<readonly string[]> => [];
const workersClients =
    (number: number) =>
    (stage: Stage): Promise<readonly string[]> =>
        stage.clientsOfWorker(`worker-${number}`);
const ingressClients =
    (number: number) =>
    (stage: Stage): Promise<readonly string[]> =>
        stage.clientsOfProcess(stage.pid("ingress", number));

const kill =
    (...targets: readonly Target[]) =>
    (stage: Stage): Promise<void> =>
        stage.kill(...targets);

const hang =
    (milliseconds: number, ...target: Target) =>
    async (stage: Stage): Promise<void> => {
        const pid = stage.pid(...target);
        process.kill(pid, "SIGSTOP");
        try {
            await delay(milliseconds);
        } finally {
            process.kill(pid, "SIGCONT");
        }
    };

/** Packets with these ports are dropped (`drop`), or answered by a reset as if nobody listened (`reject with tcp reset`). */
const cutPorts = async (ports: readonly number[], verdict: string, milliseconds: number): Promise<void> => {
    const set = `{ ${ports.join(", ")} }`;
    await run("nft", [
        `add table ip chaos; add chain ip chaos cut { type filter hook output priority 0; }; ` +
            `add rule ip chaos cut tcp dport ${set} ${verdict}; add rule ip chaos cut tcp sport ${set} ${verdict}`,
    ]);
    try {
        await delay(milliseconds);
    } finally {
        await run("nft", ["delete table ip chaos"]);
    }
};

const natsPort = ({ postern }: Stage): number => Number(new URL(postern.ready.nats.url).port);

/** The order of `make start`: NATS, worker-1, worker-2, then the admin listeners. */
const workerPort = (stage: Stage, number: number): number => natsPort(stage) + number;

const natsRefuses =
    (milliseconds: number) =>
    (stage: Stage): Promise<void> =>
        cutPorts([natsPort(stage)], "reject with tcp reset", milliseconds);

export const FAULTS: readonly Fault[] = [
    {
        name: "session-worker killed",
        isBrief: true,
        costs: workersClients(1),
        inject: kill(["session-worker", 1]),
    },
    { name: "session-worker hung for 8 s", costs: nobody, inject: hang(8_000, "session-worker", 2) },
    {
        name: "session-worker hung until it is lost",
        costs: workersClients(2),
        inject: async (stage) => {
            const clients = await stage.clientsOfWorker("worker-2");
            const begun = performance.now();
            const pid = stage.pid("session-worker", 2);
            process.kill(pid, "SIGSTOP");
            try {
                await delay(LONG_HANG);
                await waitForValue(
                    () => (stage.population.lostSince(begun).length >= clients.length ? true : undefined),
                    {
                        within: LOST_WITHIN,
                        what: "its clients to be let go",
                    },
                );
            } finally {
                process.kill(pid, "SIGCONT");
            }
        },
    },
    {
        name: "session-worker cut off without a reset for 8 s",
        costs: nobody,
        inject: (stage) => cutPorts([workerPort(stage, 1)], "drop", 8_000),
    },
    { name: "ingress killed", isBrief: true, costs: ingressClients(1), inject: kill(["ingress", 1]) },
    { name: "ingress hung for 8 s", costs: nobody, inject: hang(8_000, "ingress", 2) },
    { name: "session-registry killed", costs: nobody, inject: kill(["session-registry", 1]) },
    { name: "session-registry hung for 20 s", costs: nobody, inject: hang(20_000, "session-registry", 2) },
    { name: "auth-broker killed", costs: nobody, inject: kill(["auth-broker", 1]) },
    { name: "auth-broker hung for 20 s", costs: nobody, inject: hang(20_000, "auth-broker", 2) },
    {
        name: "both audit-loggers killed",
        isBrief: true,
        costs: nobody,
        inject: kill(["audit-logger", 1], ["audit-logger", 2]),
    },
    { name: "NATS killed", isBrief: true, costs: nobody, inject: kill(["nats"]) },
    { name: "NATS hung for 20 s", costs: nobody, inject: hang(20_000, "nats") },
    { name: "NATS gone for 20 s", isBrief: true, costs: nobody, inject: natsRefuses(20_000) },
    { name: "NATS gone for 5 min", costs: nobody, inject: natsRefuses(300_000) },
    {
        name: "one registry and one broker killed",
        isBrief: true,
        costs: nobody,
        inject: kill(["session-registry", 2], ["auth-broker", 2]),
    },
    {
        name: "both registries killed",
        costs: nobody,
        inject: kill(["session-registry", 1], ["session-registry", 2]),
    },
    { name: "both brokers killed", costs: nobody, inject: kill(["auth-broker", 1], ["auth-broker", 2]) },
    { name: "NATS and an audit-logger killed", costs: nobody, inject: kill(["nats"], ["audit-logger", 1]) },
    {
        name: "session-worker and registry killed",
        costs: workersClients(1),
        inject: kill(["session-worker", 1], ["session-registry", 1]),
    },
    {
        name: "session-worker and NATS killed",
        costs: workersClients(2),
        inject: kill(["session-worker", 2], ["nats"]),
    },
    {
        name: "session-worker and ingress killed",
        costs: async (stage) => [
            ...new Set([...(await workersClients(1)(stage)), ...(await ingressClients(2)(stage))]),
        ],
        inject: kill(["session-worker", 1], ["ingress", 2]),
    },
    {
        name: "session-worker told to stop (SIGTERM)",
        costs: workersClients(2),
        inject: async (stage) => {
            const pid = stage.pid("session-worker", 2);
            process.kill(pid, "SIGTERM");
            await stage.untilReplaced([pid]);
        },
    },
];
