// Sessions that the registry ends itself, because their worker cannot or must not.
import {
    sessionEnded,
    type Counters,
    type EndReason,
    type ReleaseQuestion,
    type SessionRecord,
} from "@postern/contracts";
import type { Events } from "@postern/service";
import { timestamp, type Clock } from "./clock.ts";
import type { Release } from "./release.ts";
import { SingleFlight } from "./single-flight.ts";

export interface EndingsPorts {
    readonly events: Pick<Events, "append">;
    readonly release: Release;
    /** What the worker said last of a live session. */
    readonly reported: (session: string) => Counters | undefined;
    readonly clock: Clock;
    readonly instance: string;
}

const NOTHING: Counters = { bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0, droppedIn: 0, droppedOut: 0 };

export class Endings {
    readonly #ports: EndingsPorts;
    readonly #underWay = new SingleFlight<boolean>();

    constructor(ports: EndingsPorts) {
        this.#ports = ports;
    }

    /**
     * Ends a session under the next epoch, so that its worker, if there still is one, learns that it has lost it.  The event
     * is on disk before the record changes, and published only if this claim wins.  True: it did.
     */
    end(record: SessionRecord, reason: EndReason, lastReported?: Counters): Promise<boolean> {
        return this.#underWay.run(record.session, () => this.#end(record, reason, lastReported));
    }

    async #end(record: SessionRecord, reason: EndReason, lastReported: Counters | undefined): Promise<boolean> {
        const { events, release, reported, clock, instance } = this.#ports;
        const { session, worker, principal, address, client, admittedAt } = record;
        const at = timestamp(clock.now());
        const counters = lastReported ?? reported(session) ?? record.counters ?? NOTHING;
        const epoch = record.epoch + 1;
        const claim: ReleaseQuestion = { session, epoch, by: instance, reason, exact: false, at, counters, admittedAt };
        const fact = {
            session,
            sessionEpoch: epoch,
            worker,
            principal,
            address,
            client,
            reason,
            startedAt: admittedAt,
            endedAt: at,
            counters,
            exact: false,
        };
        await events.append(sessionEnded, session, fact, claim);
        return (await release.run(claim)).outcome === "won";
    }
}
