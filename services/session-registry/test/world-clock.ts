import { FakeClock } from "@postern/testkit";
import type { Clock } from "../src/clock.ts";

/** Time that moves when told, or when everybody waits for it. */
export class WorldClock implements Clock {
    readonly fake = new FakeClock();
    readonly #start = this.fake.now();
    /** Milliseconds by which the wall clock is wrong. */
    skew = 0;

    now(): number {
        return this.fake.now() + this.skew;
    }

    monotonic(): number {
        return this.fake.now() - this.#start;
    }

    after(milliseconds: number, callback: () => void): () => void {
        const timer = this.fake.setTimeout(callback, milliseconds);
        return () => this.fake.clearTimeout(timer);
    }

    /** Moves the time, letting everything settle on the way. */
    pass(milliseconds: number): Promise<void> {
        return this.fake.advanceAsync(milliseconds);
    }
}
