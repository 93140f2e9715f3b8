// A clock that moves only when the test moves it.

export interface FakeTimer {
    readonly id: number;
}

export interface NamedTimerPorts<Name extends string> {
    readonly startTimer: (name: Name, milliseconds: number) => void;
    readonly stopTimer: (name: Name) => void;
}

interface Scheduled {
    readonly timer: FakeTimer;
    readonly callback: () => void;
    readonly period: number | undefined;
    due: number;
}

/**
 * Time and timers in milliseconds.  Methods are bound: `clock.setTimeout` may be passed on its own.  Timers fire in the
 * order of their due time, those of one time in the order in which they were set, as with the real ones.
 */
export class FakeClock {
    #now: number;
    #lastId = 0;
    readonly #scheduled = new Map<number, Scheduled>();

    /** Starts at a fixed date, so that formatted times in a test do not depend on the day. */
    constructor(now = Date.UTC(2026, 0, 1)) {
        this.#now = now;
    }

    readonly now = (): number => this.#now;

    readonly setTimeout = (callback: () => void, milliseconds: number): FakeTimer =>
        this.#schedule(callback, milliseconds, undefined);

    readonly setInterval = (callback: () => void, milliseconds: number): FakeTimer =>
        this.#schedule(callback, milliseconds, Math.max(1, milliseconds));

    readonly clearTimeout = (timer: FakeTimer | undefined): void => {
        if (timer !== undefined) this.#scheduled.delete(timer.id);
    };

    readonly clearInterval = this.clearTimeout;

    /** Resolves when the clock has been moved that far. */
    readonly delay = (milliseconds: number): Promise<void> =>
        new Promise((resolve) => this.setTimeout(resolve, milliseconds));

    /** One timer of each name, as the ports of a state machine have them; starting one again sets it anew. */
    namedTimers<Name extends string>(onTimer: (name: Name) => void): NamedTimerPorts<Name> {
        const timers = new Map<Name, FakeTimer>();
        const stopTimer = (name: Name): void => this.clearTimeout(timers.get(name));
        const startTimer = (name: Name, milliseconds: number): void => {
            stopTimer(name);
            timers.set(
                name,
                this.setTimeout(() => onTimer(name), milliseconds),
            );
        };
        return { startTimer, stopTimer };
    }

    /** How many timers are set: zero at the end of a life cycle test, or something leaks. */
    get pending(): number {
        return this.#scheduled.size;
    }

    /** Milliseconds until the next timer fires, or `undefined` when none is set. */
    get untilNext(): number | undefined {
        const next = this.#next();
        return next === undefined ? undefined : next.due - this.#now;
    }

    /** Moves the time and fires what falls due on the way, also timers that these set in turn. */
    advance(milliseconds: number): void {
        const target = this.#now + milliseconds;
        while (this.#fireNext(target));
        this.#now = target;
    }

    /** Like `advance`, but lets promises settle before each timer and at the end, for code that awaits between timers. */
    async advanceAsync(milliseconds: number): Promise<void> {
        const target = this.#now + milliseconds;
        do await settled();
        while (this.#fireNext(target));
        this.#now = target;
    }

    #schedule(callback: () => void, milliseconds: number, period: number | undefined): FakeTimer {
        this.#lastId += 1;
        const timer = { id: this.#lastId };
        this.#scheduled.set(timer.id, { timer, callback, period, due: this.#now + Math.max(0, milliseconds) });
        return timer;
    }

    #next(): Scheduled | undefined {
        let next: Scheduled | undefined;
        for (const candidate of this.#scheduled.values()) {
            if (next === undefined || candidate.due < next.due) next = candidate;
        }
        return next;
    }

    #fireNext(target: number): boolean {
        const next = this.#next();
        if (next === undefined || next.due > target) return false;
        this.#now = next.due;
        this.#scheduled.delete(next.timer.id);
        if (next.period !== undefined) {
            this.#scheduled.set(next.timer.id, next);
            next.due += next.period;
        }
        next.callback();
        return true;
    }
}

/** One turn of the event loop: every promise that can settle without I/O has settled. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
