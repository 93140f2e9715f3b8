// Asking the registry to let a session in, and taking that back where its answer was lost.
import type { Bus } from "@postern/bus";
import { registryAdmit, sessionEnded, type AdmitAnswer, type AdmitQuestion } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { Events } from "@postern/service";
import type { Logger } from "@postern/telemetry";

export interface AdmissionPorts {
    readonly bus: Pick<Bus, "ask" | "subjects">;
    readonly events: Pick<Events, "append" | "accepting">;
    readonly log: Pick<Logger, "error">;
    /** Wall-clock milliseconds. */
    readonly wallClock: () => number;
}

const TRIES = 2;
/** What every admission begins with; taking over raises it. */
const FIRST_EPOCH = 1;
const UNKNOWN_ADDRESS = "0.0.0.0";
const NOTHING = { bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0, droppedIn: 0, droppedOut: 0 };

/** Asks again when an answer gets lost: the registry knows the session by its id.  Rejects only for defects. */
export async function admit(question: AdmitQuestion, ports: AdmissionPorts): Promise<AdmitAnswer> {
    const { bus, events } = ports;
    // A session whose beginning and end cannot be recorded must not begin.
    if (!events.accepting)
        return unavailable("this worker's outbox is full: its disk has no room, or NATS does not take its events");
    let detail = "";
    for (let left = TRIES; left > 0; left -= 1) {
        try {
            return await bus.ask(bus.subjects.registry.admit, registryAdmit, question);
        } catch (error) {
            if (!(error instanceof DependencyError)) throw error;
            detail = error.message;
        }
    }
    withdraw(question, ports);
    return unavailable(detail);
}

/**
 * A registry may have let the session in although its answer never came.  The end goes through the outbox, which asks until it
 * is answered: `won` is told to the world, and of what the registry never heard nothing is told.
 */
function withdraw(
    { session, worker, principal, client }: AdmitQuestion,
    { events, log, wallClock }: AdmissionPorts,
): void {
    const at = new Date(wallClock()).toISOString();
    const end = { reason: "admission-unanswered", exact: true, counters: NOTHING } as const;
    const fact = {
        session,
        sessionEpoch: FIRST_EPOCH,
        worker,
        principal,
        address: UNKNOWN_ADDRESS,
        client,
        startedAt: at,
        endedAt: at,
        ...end,
    };
    events
        .append(sessionEnded, session, fact, { session, epoch: FIRST_EPOCH, by: worker, at, ...end })
        .catch((error: unknown) =>
            log.error({ error, session }, "an admission without an answer is left to the registry"),
        );
}

const unavailable = (detail: string): AdmitAnswer => ({
    state: "refused",
    reason: "registry-unavailable",
    message: detail,
});
