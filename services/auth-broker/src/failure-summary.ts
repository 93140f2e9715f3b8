// `auth.failed`, summed up: the first of a name, source and reason at once, those that follow in one event a window.  However
// many names and sources somebody makes up, the number of events stays bounded.
import { authFailed } from "@postern/contracts";
import type { Events } from "@postern/service";
import type { Logger } from "@postern/telemetry";
import type { z } from "zod";
import type { Cancel, Clock } from "./clock.ts";

type AuthFailedData = z.input<typeof authFailed.data>;

export type Failure = Omit<AuthFailedData, "count" | "firstAt">;

export interface FailureSummaryPorts {
    readonly clock: Clock;
    /** Milliseconds. */
    readonly window: number;
    /** Different ones in a window that get events of their own. */
    readonly entries: number;
    readonly events: Pick<Events, "append">;
    readonly log: Logger;
    /** An event could not be put into the outbox. */
    readonly onUnrecorded: () => void;
}

interface Sum {
    /** The last one that was added. */
    failure: Failure;
    count: number;
    firstAt: number;
}

export class FailureSummary {
    readonly #ports: FailureSummaryPorts;
    readonly #sums = new Map<string, Sum>();
    /** By reason, when there is no room for more. */
    readonly #overflow = new Map<string, Sum>();
    #cancelFlush: Cancel | undefined;

    constructor(ports: FailureSummaryPorts) {
        this.#ports = ports;
    }

    /** Resolves when the event is certain, or at once where the failure will be part of a sum. */
    async add(failure: Failure): Promise<void> {
        const now = this.#ports.clock.now();
        this.#cancelFlush ??= this.#ports.clock.after(this.#ports.window, () => void this.flush());
        const key = JSON.stringify([failure.identity, failure.client.address, failure.reason]);
        const sum = this.#sums.get(key);
        if (sum !== undefined) return raise(sum, failure, now);
        if (this.#sums.size < this.#ports.entries) {
            this.#sums.set(key, { failure, count: 0, firstAt: now });
            return this.#publish({ ...failure, count: 1, firstAt: new Date(now).toISOString() });
        }
        const overflow = this.#overflow.get(failure.reason);
        if (overflow !== undefined) return raise(overflow, failure, now);
        this.#overflow.set(failure.reason, { failure, count: 1, firstAt: now });
    }

    /** Publishes the sums.  Who goes on failing stays a sum; who has stopped gets an event of his own the next time. */
    async flush(): Promise<void> {
        this.#cancelFlush?.();
        this.#cancelFlush = undefined;
        const due: AuthFailedData[] = [];
        for (const [key, sum] of this.#sums) {
            if (sum.count === 0) this.#sums.delete(key);
            else due.push(report(sum));
            sum.count = 0;
        }
        for (const sum of this.#overflow.values()) {
            due.push({
                ...report(sum),
                identity: "*",
                detail: "several users and sources, the last of which is given here",
            });
        }
        this.#overflow.clear();
        if (this.#sums.size > 0) {
            this.#cancelFlush = this.#ports.clock.after(this.#ports.window, () => void this.flush());
        }
        await Promise.all(due.map((failure) => this.#publish(failure)));
    }

    /** Publishes what is summed up and schedules nothing more. */
    async stop(): Promise<void> {
        await this.flush();
        this.#cancelFlush?.();
    }

    /** Never rejects: a refusal stands also when it cannot be recorded. */
    async #publish(failure: AuthFailedData): Promise<void> {
        const { events, log, onUnrecorded } = this.#ports;
        try {
            await events.append(authFailed, failure.session, failure);
        } catch (error) {
            onUnrecorded();
            log.error({ error, reason: failure.reason, count: failure.count }, "refused logins could not be recorded");
        }
    }
}

function raise(sum: Sum, failure: Failure, now: number): void {
    if (sum.count === 0) sum.firstAt = now;
    sum.failure = failure;
    sum.count += 1;
}

const report = ({ failure, count, firstAt }: Sum): AuthFailedData => ({
    ...failure,
    count,
    firstAt: new Date(firstAt).toISOString(),
});
