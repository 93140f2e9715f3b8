// `postern sessions` and `postern disconnect`.
import type { Bus } from "@postern/bus";
import { registryQuery, workerDisconnect, type QueryAnswer, type QueryQuestion } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { recordAction } from "../admin-action.ts";
import { operator } from "../installation.ts";
import type { Column, Output } from "../output.ts";
import { formatBytes, formatElapsed } from "../units.ts";

type Session = QueryAnswer["sessions"][number];

/** Every session that matches, over all pages. */
async function query(bus: Bus, filter: Partial<QueryQuestion>): Promise<Session[]> {
    const found: Session[] = [];
    for (;;) {
        const after = found.at(-1)?.session;
        const page = await bus.ask(bus.subjects.registry.query, registryQuery, {
            ...filter,
            ...(after === undefined ? {} : { after }),
        });
        found.push(...page.sessions);
        if (!page.more || page.sessions.length === 0) return found;
    }
}

const columns: readonly Column<Session>[] = [
    { title: "SESSION", value: ({ session }) => session },
    { title: "USER", value: ({ principal }) => principal },
    { title: "ADDRESS", value: ({ address }) => address },
    { title: "CLIENT", value: ({ client }) => `${client.address}:${client.port}` },
    { title: "WORKER", value: ({ worker }) => worker },
    { title: "STATE", value: ({ state, ended }) => (ended === undefined ? state : `ended: ${ended.reason}`) },
    { title: "SINCE", value: ({ admittedAt }) => formatElapsed(Date.now() - Date.parse(admittedAt)), align: "right" },
    { title: "IN", value: ({ counters }) => counters && formatBytes(counters.bytesIn), align: "right" },
    { title: "OUT", value: ({ counters }) => counters && formatBytes(counters.bytesOut), align: "right" },
    { title: "IPV6", value: ({ ipv6Prefix }) => ipv6Prefix },
];

export interface SessionFilter {
    readonly user?: string;
    readonly worker?: string;
    readonly address?: string;
    readonly client?: string;
    readonly ended?: boolean;
}

export async function listSessions(bus: Bus, output: Output, filter: SessionFilter): Promise<void> {
    const { user, worker, address, client, ended } = filter;
    const sessions = await query(bus, {
        ...(user === undefined ? {} : { principal: user }),
        ...(worker === undefined ? {} : { worker }),
        ...(address === undefined ? {} : { address }),
        ...(client === undefined ? {} : { client }),
        ...(ended === true ? { includeEnded: true } : {}),
    });
    output.list(sessions, columns, "no sessions");
}

/** One session by its id, or all of a user. */
export async function disconnect(
    bus: Bus,
    output: Output,
    target: { session: string } | { user: string },
): Promise<void> {
    const [what, filter] =
        "session" in target
            ? [`session ${target.session}`, { session: target.session }]
            : [`session of ${target.user}`, { principal: target.user }];
    const sessions = await query(bus, filter);
    if (sessions.length === 0) throw new DependencyError("CLI_NOT_FOUND", `there is no live ${what}`);
    for (const { session, worker, principal } of sessions) {
        const { found } = await bus.ask(bus.subjects.worker(worker, "disconnect"), workerDisconnect, {
            session,
            reason: "admin-disconnect",
            by: operator(),
        });
        await recordAction(bus, { action: "session.disconnect", target: session, detail: `${principal} on ${worker}` });
        const outcome = found ? "is being disconnected" : "was gone already";
        output.item({ session, principal, worker, found }, `${session} (${principal} on ${worker}) ${outcome}`);
    }
}
