// `postern connections`: TCP to clients, as the ingresses and workers that carry it tell.
import type { Bus } from "@postern/bus";
import type { Config } from "@postern/config";
import { BUCKETS, connectionsDescribe, type ConnectionsQuestion, type DescribedConnection } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { Column, Output } from "../output.ts";
import { formatBytes, formatElapsed } from "../units.ts";

interface Connection extends DescribedConnection {
    /** `undefined`: the client dialled the worker itself, or its ingress was not asked. */
    readonly ingress: string | undefined;
}

/** Who is asked, and what it says; `undefined`: nothing. */
interface Testimony {
    readonly service: "ingress" | "worker";
    readonly instance: string;
    readonly connections: readonly DescribedConnection[] | undefined;
}

const columns: readonly Column<Connection>[] = [
    { title: "CONNECTION", value: ({ connection }) => connection },
    { title: "USER", value: ({ principal }) => principal },
    { title: "CLIENT", value: ({ client }) => `${client.address}:${client.port}` },
    { title: "INGRESS", value: ({ ingress }) => ingress },
    { title: "WORKER", value: ({ worker }) => worker },
    { title: "SINCE", value: ({ since }) => formatElapsed(Date.now() - Date.parse(since)), align: "right" },
    { title: "IN", value: ({ bytesIn }) => formatBytes(bytesIn), align: "right" },
    { title: "OUT", value: ({ bytesOut }) => formatBytes(bytesOut), align: "right" },
    { title: "WAITING", value: ({ queued, path }) => formatBytes(queued + (path?.notSent ?? 0)), align: "right" },
    { title: "RTT", value: ({ path }) => path?.rtt && `${path.rtt.toFixed(1)} ms`, align: "right" },
    { title: "LOST", value: lostOf, align: "right" },
];

/** Retransmitted segments that the client did not have yet, and their share of all. */
function lostOf({ path }: Connection): string | undefined {
    const { retransmits, duplicates = 0, segmentsOut } = path ?? {};
    if (retransmits === undefined || segmentsOut === undefined) return undefined;
    const lost = Math.max(0, retransmits - duplicates);
    return lost === 0 ? "0" : `${lost} (${((100 * lost) / segmentsOut).toFixed(2)}%)`;
}

export interface ConnectionFilter {
    readonly user?: string;
    readonly client?: string;
    /** Besides those that postern.yaml names. */
    readonly ingress: readonly string[];
}

/** Prints what is known, and then fails where somebody did not answer. */
export async function listConnections(
    bus: Bus,
    config: Pick<Config, "instances">,
    output: Output,
    { user, client, ingress }: ConnectionFilter,
): Promise<void> {
    const question = client === undefined ? {} : { client };
    const ingresses = new Set([...config.instances.ingress, ...ingress]);
    const workers = (await (await bus.bucket(BUCKETS.workers)).entries()).map(({ value }) => value.worker);
    const testimonies = await Promise.all([
        ...[...ingresses].map((instance) => hear(bus, "ingress", instance, question)),
        ...workers.map((instance) => hear(bus, "worker", instance, question)),
    ]);
    const all = combine(testimonies).filter(({ principal }) => (user ?? principal) === principal);
    output.list(
        all.toSorted((a, b) => a.since.localeCompare(b.since)),
        columns,
        "no connections",
    );
    const silent = testimonies.filter(({ connections }) => connections === undefined);
    if (silent.length === 0) return;
    const names = silent.map(({ instance }) => instance).join(", ");
    throw new DependencyError("BUS_NO_RESPONDERS", `no answer from ${names}: what they know is missing above`);
}

async function hear(
    bus: Bus,
    service: Testimony["service"],
    instance: string,
    question: ConnectionsQuestion,
): Promise<Testimony> {
    const connections: DescribedConnection[] = [];
    try {
        for (;;) {
            const after = connections.at(-1)?.connection;
            const page = await bus.ask(bus.subjects[service](instance, "connections"), connectionsDescribe, {
                ...question,
                ...(after === undefined ? {} : { after }),
            });
            connections.push(...page.connections);
            if (!page.more || page.connections.length === 0) return { service, instance, connections };
        }
    } catch (error) {
        const isSilence =
            error instanceof DependencyError && (error.code === "BUS_NO_RESPONDERS" || error.code === "BUS_TIMEOUT");
        if (!isSilence) throw error;
        return { service, instance, connections: undefined };
    }
}

/** The ingress knows the client's socket, the worker whose session it is. */
function combine(testimonies: readonly Testimony[]): Connection[] {
    const all = new Map<string, Connection>();
    for (const { service, instance, connections = [] } of testimonies) {
        for (const described of connections) {
            const known = all.get(described.connection);
            const seen: Connection =
                service === "ingress"
                    ? { ...known, ...described, ingress: instance }
                    : { ...described, ...known, worker: instance, ingress: known?.ingress };
            all.set(described.connection, seen);
        }
    }
    return [...all.values()];
}
