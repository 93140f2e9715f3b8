// The timers of one session by name, all on the worker's wheel.
import type { TimerWheel, WheelTimer } from "./timer-wheel.ts";

/** SSTP and PPP each name their own timers; the prefix keeps them apart. */
export class SessionTimers {
    readonly #wheel: TimerWheel;
    readonly #timers = new Map<string, { readonly timer: WheelTimer; milliseconds: number; startedAt: number }>();
    readonly #now: () => number;

    constructor(wheel: TimerWheel, now: () => number) {
        this.#wheel = wheel;
        this.#now = now;
    }

    /** (Re)starts the timer `name`; `expire` of the latest start counts. */
    start(name: string, milliseconds: number, expire: () => void): void {
        this.stop(name);
        const timer = this.#wheel.timer(() => {
            this.#timers.delete(name);
            expire();
        });
        this.#timers.set(name, { timer, milliseconds, startedAt: this.#now() });
        timer.start(milliseconds);
    }

    stop(name: string): void {
        this.#timers.get(name)?.timer.stop();
        this.#timers.delete(name);
    }

    stopAll(): void {
        for (const { timer } of this.#timers.values()) timer.stop();
        this.#timers.clear();
    }

    /** Milliseconds left by timer name: what a snapshot turns into wall-clock deadlines. */
    remaining(): Readonly<Record<string, number>> {
        const now = this.#now();
        return Object.fromEntries(
            [...this.#timers].map(([name, { startedAt, milliseconds }]) => [
                name,
                Math.max(0, startedAt + milliseconds - now),
            ]),
        );
    }
}
