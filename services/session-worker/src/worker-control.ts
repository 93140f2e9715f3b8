// Questions that registries, brokers and the CLI ask this worker about its sessions.
import type { Bus, Stoppable } from "@postern/bus";
import { workerDescribe, workerDisconnect, workerDrain } from "@postern/contracts";
import type { Logger } from "@postern/telemetry";
import type { Session } from "./session.ts";
import type { SessionTable } from "./session-table.ts";
import type { WorkerPresence } from "./worker-presence.ts";

export interface ControlPorts {
    readonly bus: Bus;
    readonly worker: string;
    readonly epoch: number;
    readonly sessions: SessionTable;
    readonly presence: WorkerPresence;
    readonly log: Logger;
    /** Takes no new sessions; ends the old ones spread over `seconds`, if given. */
    readonly drain: (seconds: number | undefined, by: string) => void;
}

/** Answers until the results are stopped. */
export async function answerControl(ports: ControlPorts): Promise<readonly Stoppable[]> {
    const { bus, worker, epoch, sessions, presence, log } = ports;
    const subject = (question: "describe" | "disconnect" | "drain"): string => bus.subjects.worker(worker, question);
    return Promise.all([
        bus.answer(subject("describe"), workerDescribe, ({ session }) => {
            const asked =
                session === undefined
                    ? [...sessions.values()]
                    : [sessions.get(session)].filter((found) => found !== undefined);
            return Promise.resolve({ worker, epoch, state: presence.state, sessions: asked.flatMap(describe) });
        }),
        bus.answer(subject("disconnect"), workerDisconnect, ({ session: id, epoch: only, reason, by }) => {
            const session = sessions.get(id);
            const owned = session?.facts?.admission.epoch;
            const meant = session !== undefined && (only === undefined || only === owned);
            if (meant) {
                log.info({ session: id, reason, by }, "disconnecting");
                session.end(reason);
            }
            return Promise.resolve({ found: meant });
        }),
        bus.answer(subject("drain"), workerDrain, ({ seconds, by }) => {
            log.info({ seconds, by }, "draining");
            ports.drain(seconds, by);
            return Promise.resolve({ state: presence.state, sessions: sessions.size });
        }),
    ]);
}

const describe = (session: Session) =>
    session.facts === undefined
        ? []
        : [{ session: session.id, epoch: session.facts.admission.epoch, counters: { ...session.counters } }];
