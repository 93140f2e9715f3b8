// How long this replica has had the bus without a break.  What it did not see it must not hold against a worker.
import type { BusStatus } from "@postern/bus";
import type { Clock } from "./clock.ts";

export class Continuity {
    readonly #clock: Clock;
    /** Longest time between two beats that is not a break: a process that stood still saw nothing either. */
    readonly #longestPause: number;
    #connected: boolean;
    #following = true;
    #since: number;
    #lastBeat: number;

    constructor(clock: Clock, status: BusStatus, longestPause: number) {
        this.#clock = clock;
        this.#longestPause = longestPause;
        this.#connected = status.connected;
        this.#since = clock.monotonic();
        this.#lastBeat = this.#since;
    }

    /** Told of every change of the connection. */
    readonly onStatus = ({ connected }: BusStatus): void => {
        this.#connected = connected;
        this.#since = this.#clock.monotonic();
    };

    /** Told whether every copy of a bucket follows it: a bucket may be gone although the server is there. */
    onFollowing(following: boolean): void {
        if (following === this.#following) return;
        this.#following = following;
        this.#since = this.#clock.monotonic();
    }

    /** Called regularly: that this call is late shows that the process was not running. */
    beat(): void {
        const now = this.#clock.monotonic();
        if (now - this.#lastBeat > this.#longestPause) this.#since = now;
        this.#lastBeat = now;
    }

    /**
     * Called regularly with a question to the bus: that the answer is late, or none, shows that the bus stood still.  Others may
     * have given it up meanwhile, although the connection of this process has lasted.
     */
    async listen(question: () => Promise<unknown>): Promise<void> {
        const asked = this.#clock.monotonic();
        try {
            await question();
        } finally {
            const now = this.#clock.monotonic();
            if (now - asked > this.#longestPause) this.#since = now;
        }
    }

    /** Milliseconds without a break; 0 while the bus, or a bucket, is gone. */
    get unbroken(): number {
        return this.#connected && this.#following ? this.#clock.monotonic() - this.#since : 0;
    }
}
