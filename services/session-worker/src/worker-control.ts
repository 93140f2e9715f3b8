// Questions that registries, brokers and the CLI ask this worker about its sessions.
import type { Bus, Stoppable } from "@postern/bus";
import {
    connectionsDescribe,
    workerDescribe,
    workerDisconnect,
    workerDrain,
    type DescribeAnswer,
    type DescribeQuestion,
    type DisconnectQuestion,
    type DrainQuestion,
} from "@postern/contracts";
import type { Logger } from "@postern/telemetry";
import type { ConnectionTable } from "./connection-table.ts";
import type { Session } from "./session.ts";
import type { SessionTable } from "./session-table.ts";
import type { WorkerPresence } from "./worker-presence.ts";

/** Sessions of one answer: about 300 octets each, with room to the 1 MiB of a NATS message. */
const DESCRIBED_AT_ONCE = 2_000;

export interface ControlPorts {
    readonly worker: string;
    readonly epoch: number;
    readonly sessions: Pick<SessionTable, "get" | "values" | "size">;
    readonly connections: Pick<ConnectionTable, "describe">;
    readonly presence: Pick<WorkerPresence, "state">;
    readonly log: Pick<Logger, "info">;
    /** Takes no new sessions; ends the old ones spread over `seconds`, if given. */
    readonly drain: (seconds: number | undefined, by: string) => void;
}

export class WorkerControl {
    readonly #ports: ControlPorts;

    constructor(ports: ControlPorts) {
        this.#ports = ports;
    }

    /** Sessions that the registry has admitted; the others are nobody's business yet. */
    describe({ session, after = "" }: DescribeQuestion): DescribeAnswer {
        const { worker, epoch, sessions, presence } = this.#ports;
        const about = { worker, epoch, state: presence.state };
        if (session !== undefined) return { ...about, sessions: [sessions.get(session)].flatMap(describeFully) };
        const rest = [...sessions.values()].filter(({ id }) => id > after).flatMap(describeOne);
        rest.sort((a, b) => (a.session < b.session ? -1 : 1));
        return { ...about, sessions: rest.slice(0, DESCRIBED_AT_ONCE), more: rest.length > DESCRIBED_AT_ONCE };
    }

    /**
     * A worker drops a session only when told of the epoch that it has: `fenced` without one, or a late question about a former
     * owner's, means nothing.  A session whose admission is still under way is meant too, since ids are never used again.
     */
    disconnect({ session: id, epoch, reason, by }: DisconnectQuestion): { found: boolean } {
        const { sessions, log } = this.#ports;
        const session = sessions.get(id);
        const owned = session?.facts?.admission.epoch;
        const isMeant = epoch === undefined ? reason !== "fenced" : owned === undefined || owned === epoch;
        if (session === undefined || !isMeant) return { found: false };
        log.info({ session: id, reason, by }, "disconnecting");
        return { found: session.end(reason) };
    }

    drain({ seconds, by }: DrainQuestion): { state: DescribeAnswer["state"]; sessions: number } {
        const { log, drain, presence, sessions } = this.#ports;
        log.info({ seconds, by }, "draining");
        drain(seconds, by);
        return { state: presence.state, sessions: sessions.size };
    }

    /** Answers on the bus until the results are stopped. */
    async answer(bus: Pick<Bus, "answer" | "subjects">): Promise<readonly Stoppable[]> {
        const { worker, connections } = this.#ports;
        const subject = (question: "describe" | "disconnect" | "drain" | "connections"): string =>
            bus.subjects.worker(worker, question);
        return Promise.all([
            bus.answer(subject("describe"), workerDescribe, async (question) => this.describe(question)),
            bus.answer(subject("disconnect"), workerDisconnect, async (question) => this.disconnect(question)),
            bus.answer(subject("drain"), workerDrain, async (question) => this.drain(question)),
            bus.answer(subject("connections"), connectionsDescribe, async (question) => connections.describe(question)),
        ]);
    }
}

/** With all that a registry needs whose records are gone. */
function describeFully(
    session: Pick<Session, "id" | "facts" | "counters" | "snapshot"> | undefined,
): DescribeAnswer["sessions"] {
    const { transport, admission } = session?.facts ?? {};
    if (session === undefined || transport === undefined || admission === undefined) return [];
    const { principal, groups, method, policy, addresses, admittedAt } = admission;
    const snapshot = session.snapshot();
    const admitted = {
        principal,
        groups: [...groups],
        method,
        client: transport.client,
        address: addresses.address,
        ...(addresses.ipv6 === undefined ? {} : { ipv6Prefix: addresses.ipv6.prefix }),
        policy,
        admittedAt: new Date(admittedAt).toISOString(),
        ...(snapshot === undefined ? {} : { snapshot }),
    };
    return describeOne(session).map((described) => ({ ...described, admitted }));
}

function describeOne(session: Pick<Session, "id" | "facts" | "counters"> | undefined): DescribeAnswer["sessions"] {
    if (session?.facts === undefined) return [];
    const { id, facts, counters } = session;
    return [{ session: id, epoch: facts.admission.epoch, counters }];
}
