// The deadlines that policy sets: how long a session may last, and how long without inner traffic.  They outlive a worker: a
// snapshot has them as wall-clock times, and whoever goes on with the session goes on with them.
import type { EndReason } from "@postern/contracts";
import type { SessionTimers } from "./session-timers.ts";

export interface DeadlineLimits {
    /** Milliseconds; `undefined`: no limit. */
    readonly sessionTimeout: number | undefined;
    readonly idleTimeout: number | undefined;
}

export interface DeadlinePorts {
    readonly timers: SessionTimers;
    /** Monotonic milliseconds. */
    readonly now: () => number;
    /** Wall-clock milliseconds. */
    readonly wallClock: () => number;
    /** Inner packets so far, both directions. */
    readonly packets: () => number;
    readonly expire: (reason: Extract<EndReason, "session-timeout" | "idle-timeout">) => void;
}

/** RFC 3339 times by deadline. */
export type Deadlines = Readonly<Partial<Record<"session-timeout" | "idle-timeout", string>>>;

export class SessionDeadlines {
    readonly #limits: DeadlineLimits;
    readonly #ports: DeadlinePorts;
    /** When a packet was seen last, or would have been for the idle deadline to be what it is. */
    #activeAt: number;
    #packets: number;

    /** Starts; `known` are those of a session that was begun elsewhere. */
    constructor(limits: DeadlineLimits, ports: DeadlinePorts, known: Deadlines = {}) {
        this.#limits = limits;
        this.#ports = ports;
        this.#packets = ports.packets();
        this.#activeAt = ports.now();
        const { sessionTimeout, idleTimeout } = limits;
        if (sessionTimeout !== undefined) {
            const left = this.#left(known["session-timeout"]) ?? sessionTimeout;
            ports.timers.start("session-timeout", Math.max(0, left), () => ports.expire("session-timeout"));
        }
        if (idleTimeout === undefined) return;
        const left = this.#left(known["idle-timeout"]);
        // One that has passed says nothing: packets do not renew a snapshot.
        if (left !== undefined && left > 0) this.#activeAt -= Math.max(0, idleTimeout - left);
        this.#lookAgain(idleTimeout);
    }

    /** As they are now, for a snapshot. */
    get deadlines(): Deadlines {
        const { timers, now } = this.#ports;
        const { idleTimeout } = this.#limits;
        const session = timers.remaining("session-timeout");
        return {
            ...(session === undefined ? {} : { "session-timeout": this.#at(session) }),
            ...(idleTimeout === undefined ? {} : { "idle-timeout": this.#at(this.#activeAt + idleTimeout - now()) }),
        };
    }

    /** Four times per limit, instead of re-arming at every packet: at most a quarter late. */
    #lookAgain(idleTimeout: number): void {
        const { timers, now } = this.#ports;
        const left = this.#activeAt + idleTimeout - now();
        timers.start("idle", Math.min(Math.max(0, left), idleTimeout / 4), () => this.#look(idleTimeout));
    }

    #look(idleTimeout: number): void {
        const { now, packets, expire } = this.#ports;
        const seen = packets();
        if (seen !== this.#packets) {
            this.#packets = seen;
            this.#activeAt = now();
        }
        if (now() - this.#activeAt >= idleTimeout) expire("idle-timeout");
        else this.#lookAgain(idleTimeout);
    }

    #left(deadline: string | undefined): number | undefined {
        return deadline === undefined ? undefined : Date.parse(deadline) - this.#ports.wallClock();
    }

    #at(left: number): string {
        return new Date(this.#ports.wallClock() + left).toISOString();
    }
}
