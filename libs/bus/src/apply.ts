// Creating what the contracts ask for, and proving that the server took it: servers drop fields that they do not know.
import { setTimeout as delay } from "node:timers/promises";
import {
    jetstreamManager,
    JetStreamApiCodes,
    JetStreamApiError,
    type ConsumerConfig,
    type JetStreamManager,
    type StreamConfig,
} from "@nats-io/jetstream";
import { STREAMS } from "@postern/contracts";
import { DependencyError, InvariantError } from "@postern/errors";
import type { Bus } from "./bus.ts";
import { busFailure } from "./failures.ts";
import { consumerLayouts, streamLayouts, type BusLayout } from "./layout.ts";
import { NatsBus } from "./nats-bus.ts";
import { differing } from "./requirements.ts";

// A cluster that has just started needs a while to choose its leaders.
const JETSTREAM_START_TIMEOUT = 20_000;
const RETRY_PAUSE = 250;

/** What was done with each stream and consumer, by name. */
export interface ApplyReport {
    readonly created: readonly string[];
    readonly updated: readonly string[];
    readonly unchanged: readonly string[];
}

type Outcome = keyof ApplyReport;

/**
 * Creates or updates streams, buckets and durable consumers, and reads all of them back.  Idempotent; deletes nothing.
 * `admin` is connected with credentials of the role `admin`; `patience` is how many milliseconds JetStream may take to start.  Rejects with `BUS_NOT_APPLIED` naming each field that the server
 * did not take, or with `BUS_REFUSED` and the server's reason.
 */
export async function applyBus(
    admin: Bus,
    layout: BusLayout,
    { patience = JETSTREAM_START_TIMEOUT }: { readonly patience?: number } = {},
): Promise<ApplyReport> {
    if (!(admin instanceof NatsBus)) throw new InvariantError("applyBus needs a bus of connectBus");
    const manager = await startedJetStream(admin, patience);
    const report: Record<Outcome, string[]> = { created: [], updated: [], unchanged: [] };
    for (const wanted of streamLayouts(admin.subjects, layout)) {
        report[await applyStream(manager, wanted)].push(wanted.name);
    }
    for (const wanted of consumerLayouts(admin.subjects)) {
        report[await applyConsumer(manager, wanted)].push(`${STREAMS.events}/${wanted.durable_name}`);
    }
    return report;
}

async function startedJetStream(admin: NatsBus, patience: number): Promise<JetStreamManager> {
    const manager = await jetstreamManager(admin.connection, { checkAPI: false });
    const deadline = performance.now() + patience;
    for (;;) {
        try {
            await manager.getAccountInfo();
            return manager;
        } catch (error) {
            if (performance.now() > deadline) {
                const what = "JetStream is not enabled on the server, or has no leader";
                throw new DependencyError("BUS_UNAVAILABLE", what, { cause: error });
            }
            await delay(RETRY_PAUSE);
        }
    }
}

async function applyStream(
    manager: JetStreamManager,
    wanted: Partial<StreamConfig> & { name: string },
): Promise<Outcome> {
    const what = `stream ${wanted.name}`;
    try {
        const before = await orMissing(manager.streams.info(wanted.name), JetStreamApiCodes.StreamNotFound);
        if (before !== undefined && differences(wanted, before.config).length === 0) return "unchanged";
        if (before === undefined) await manager.streams.add({ ...wanted });
        else await manager.streams.update(wanted.name, { ...before.config, ...wanted });
        const { config } = await manager.streams.info(wanted.name);
        requireTaken(wanted, config, what);
        return before === undefined ? "created" : "updated";
    } catch (error) {
        throw busFailure(error, what);
    }
}

async function applyConsumer(
    manager: JetStreamManager,
    wanted: Partial<ConsumerConfig> & { durable_name: string },
): Promise<Outcome> {
    const [what, stream, name] = [`consumer ${wanted.durable_name}`, STREAMS.events, wanted.durable_name];
    try {
        const before = await orMissing(manager.consumers.info(stream, name), JetStreamApiCodes.ConsumerNotFound);
        if (before !== undefined && differences(wanted, before.config).length === 0) return "unchanged";
        if (before === undefined) await manager.consumers.add(stream, { ...wanted });
        else await manager.consumers.update(stream, name, { ...before.config, ...wanted });
        const { config } = await manager.consumers.info(stream, name);
        requireTaken(wanted, config, what);
        return before === undefined ? "created" : "updated";
    } catch (error) {
        throw busFailure(error, what);
    }
}

async function orMissing<T>(request: Promise<T>, missing: number): Promise<T | undefined> {
    try {
        return await request;
    } catch (error) {
        if (error instanceof JetStreamApiError && error.code === missing) return undefined;
        throw error;
    }
}

function requireTaken(wanted: object, taken: object, what: string): void {
    const dropped = differences(wanted, taken);
    if (dropped.length === 0) return;
    const detail = `the server did not take every field of ${what} (an older version?): ${dropped.join("; ")}`;
    throw new DependencyError("BUS_NOT_APPLIED", detail);
}

/** Servers leave zero, false and empty fields out of their answers. */
export function differences(wanted: object, is: object): string[] {
    const found = new Map(Object.entries(is));
    return Object.entries(wanted).flatMap(([field, value]) => {
        const empty = value === 0 || value === false || value === "";
        return empty && !found.has(field) ? [] : differing(field, found.get(field), value);
    });
}
