// One timer for all sessions of a worker.  A session arms and disarms deadlines many times a second; on a wheel that is
// a linked-list operation, and the event loop sees one interval however many sessions there are.
import { InvariantError } from "@postern/errors";

/** The platform's clock and interval, injected so that tests move time. */
export interface WheelClock {
    /** Monotonic milliseconds. */
    now(): number;
    every(milliseconds: number, tick: () => void): { stop(): void };
}

/** A deadline on the wheel; made by `TimerWheel.timer`, armed and disarmed any number of times. */
export interface WheelTimer {
    /** (Re)starts: `expire` runs once, not before `milliseconds` have passed and at most one tick later. */
    start(milliseconds: number): void;
    stop(): void;
    readonly armed: boolean;
}

class Slot implements WheelTimer {
    readonly expire: () => void;
    readonly #wheel: TimerWheel;
    deadline = 0;
    bucket: Set<Slot> | undefined;

    constructor(wheel: TimerWheel, expire: () => void) {
        this.#wheel = wheel;
        this.expire = expire;
    }

    get armed(): boolean {
        return this.bucket !== undefined;
    }

    start(milliseconds: number): void {
        this.stop();
        this.#wheel.place(this, milliseconds);
    }

    stop(): void {
        this.bucket?.delete(this);
        this.bucket = undefined;
    }
}

export class TimerWheel {
    readonly #clock: WheelClock;
    readonly #tick: number;
    readonly #buckets: readonly Set<Slot>[];
    readonly #interval: { stop(): void };
    /** Index of the next tick to be processed, counted from the wheel's start. */
    #next = 0;
    readonly #origin: number;

    /** `tick`: resolution in milliseconds.  `size`: buckets; deadlines beyond one turn wait for their turn. */
    constructor(clock: WheelClock, tick = 50, size = 1_024) {
        this.#clock = clock;
        this.#tick = tick;
        this.#buckets = Array.from({ length: size }, () => new Set<Slot>());
        this.#origin = clock.now();
        this.#interval = clock.every(tick, () => this.#advance());
    }

    /** A disarmed timer that calls `expire` when it runs out. */
    timer(expire: () => void): WheelTimer {
        return new Slot(this, expire);
    }

    /** For `WheelTimer.start` alone. */
    place(slot: Slot, milliseconds: number): void {
        if (!(milliseconds >= 0)) throw new InvariantError(`a timer of ${milliseconds} ms`);
        slot.deadline = this.#clock.now() + milliseconds;
        this.#file(slot);
    }

    stop(): void {
        this.#interval.stop();
        for (const bucket of this.#buckets) {
            for (const slot of bucket) slot.bucket = undefined;
            bucket.clear();
        }
    }

    #file(slot: Slot): void {
        const due = Math.max(Math.ceil((slot.deadline - this.#origin) / this.#tick), this.#next);
        const bucket = this.#buckets[due % this.#buckets.length];
        if (bucket === undefined) throw new InvariantError("a wheel without buckets");
        slot.bucket = bucket;
        bucket.add(slot);
    }

    #advance(): void {
        const now = this.#clock.now();
        const last = Math.floor((now - this.#origin) / this.#tick);
        // After a pause of the whole process longer than one turn, one turn visits every bucket.
        const from = Math.max(this.#next, last - this.#buckets.length + 1);
        this.#next = last + 1;
        for (let tick = from; tick <= last; tick += 1) {
            // What an expiry arms goes to a later bucket, or to a later turn of this one.
            for (const slot of this.#buckets[tick % this.#buckets.length] ?? []) {
                if (slot.deadline > now) continue;
                slot.stop();
                slot.expire();
            }
        }
    }
}

/** The real clock. */
export const platformClock: WheelClock = {
    now: () => performance.now(),
    every: (milliseconds, tick) => {
        const timer = setInterval(tick, milliseconds);
        return { stop: () => clearInterval(timer) };
    },
};
