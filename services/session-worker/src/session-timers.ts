// The timers of one session by name, all on the worker's wheel.
import type { TimerWheel, WheelTimer } from "./timer-wheel.ts";

/** SSTP and PPP each name their own timers; the prefix keeps them apart. */
export class SessionTimers {
    readonly #wheel: TimerWheel;
    readonly #timers = new Map<string, { readonly timer: WheelTimer; readonly due: number }>();
    readonly #now: () => number;
    #closed = false;

    constructor(wheel: TimerWheel, now: () => number) {
        this.#wheel = wheel;
        this.#now = now;
    }

    /** (Re)starts the timer `name`; `expire` of the latest start counts. */
    start(name: string, milliseconds: number, expire: () => void): void {
        if (this.#closed) return;
        this.stop(name);
        const timer = this.#wheel.timer(() => {
            this.#timers.delete(name);
            expire();
        });
        this.#timers.set(name, { timer, due: this.#now() + milliseconds });
        timer.start(milliseconds);
    }

    isRunning(name: string): boolean {
        return this.#timers.has(name);
    }

    stop(name: string): void {
        this.#timers.get(name)?.timer.stop();
        this.#timers.delete(name);
    }

    stopAll(): void {
        for (const { timer } of this.#timers.values()) timer.stop();
        this.#timers.clear();
    }

    /** Nothing runs out any more, whoever still starts something. */
    close(): void {
        this.stopAll();
        this.#closed = true;
    }

    /** Milliseconds left, `undefined` when it does not run. */
    remaining(name: string): number | undefined {
        const timer = this.#timers.get(name);
        return timer && Math.max(0, timer.due - this.#now());
    }
}
