// `postern workers` and `postern drain`.
import type { Bus } from "@postern/bus";
import { BUCKETS, workerDrain } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { recordAction } from "../admin-action.ts";
import { operator } from "../installation.ts";
import type { Column, Output } from "../output.ts";
import { formatElapsed } from "../units.ts";

interface Worker {
    readonly worker: string;
    readonly state: string;
    readonly sessions: number;
    readonly capacity: number | undefined;
    readonly endpoint: string | undefined;
    readonly host: string | undefined;
    readonly version: string | undefined;
    /** Wall-clock milliseconds. */
    readonly startedAt: number | undefined;
}

const columns: readonly Column<Worker>[] = [
    { title: "WORKER", value: ({ worker }) => worker },
    { title: "STATE", value: ({ state }) => state },
    { title: "SESSIONS", value: ({ sessions }) => sessions, align: "right" },
    { title: "CAPACITY", value: ({ capacity }) => capacity, align: "right" },
    { title: "ENDPOINT", value: ({ endpoint }) => endpoint },
    { title: "HOST", value: ({ host }) => host },
    { title: "UP", value: ({ startedAt }) => startedAt && formatElapsed(Date.now() - startedAt), align: "right" },
    { title: "VERSION", value: ({ version }) => version },
];

/** Workers that renew their record, and those that the registry misses. */
async function readWorkers(bus: Bus): Promise<Worker[]> {
    const [records, fleet] = await Promise.all([bus.bucket(BUCKETS.workers), bus.bucket(BUCKETS.fleet)]);
    const live = (await records.entries()).map(({ value }): Worker => ({
        worker: value.worker,
        state: value.state,
        sessions: value.sessions,
        capacity: value.capacity,
        endpoint: `${value.endpoint.host}:${value.endpoint.port}`,
        host: value.host,
        version: value.version,
        startedAt: value.epoch,
    }));
    const known = new Set(live.map(({ worker }) => worker));
    const missing = (await fleet.entries())
        .map(({ value }) => value)
        .filter(({ worker, state }) => !known.has(worker) && state !== "lost")
        .map(({ worker, sessions }): Worker => ({
            worker,
            state: "suspect",
            sessions,
            capacity: undefined,
            endpoint: undefined,
            host: undefined,
            version: undefined,
            startedAt: undefined,
        }));
    return [...live, ...missing].toSorted((a, b) => a.worker.localeCompare(b.worker));
}

export const listWorkers = async (bus: Bus, output: Output): Promise<void> =>
    output.list(await readWorkers(bus), columns, "no workers");

/** No new sessions; with `seconds`, the present ones are ended over that time. */
export async function drain(bus: Bus, output: Output, worker: string, seconds: number | undefined): Promise<void> {
    if (!(await readWorkers(bus)).some((one) => one.worker === worker)) {
        throw new DependencyError("CLI_NOT_FOUND", `there is no worker ${worker}; \`postern workers\` lists them`);
    }
    const answer = await bus.ask(bus.subjects.worker(worker, "drain"), workerDrain, {
        ...(seconds === undefined ? {} : { seconds }),
        by: operator(),
    });
    const detail = seconds === undefined ? "sessions stay" : `sessions end within ${seconds} s`;
    await recordAction(bus, { action: "worker.drain", target: worker, detail });
    output.result({ worker, ...answer }, `${worker} is ${answer.state} with ${answer.sessions} sessions; ${detail}`);
}
