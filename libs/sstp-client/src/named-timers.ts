/** Timers by name, at most one of each. */
export class NamedTimers<Name extends string> {
    readonly #expired: (name: Name) => void;
    readonly #running = new Map<Name, NodeJS.Timeout>();

    constructor(expired: (name: Name) => void) {
        this.#expired = expired;
    }

    /** Starts, or starts again. */
    start(name: Name, milliseconds: number): void {
        this.stop(name);
        const timer = setTimeout(() => {
            this.#running.delete(name);
            this.#expired(name);
        }, milliseconds);
        this.#running.set(name, timer);
    }

    stop(name: Name): void {
        clearTimeout(this.#running.get(name));
        this.#running.delete(name);
    }

    stopAll(): void {
        for (const name of this.#running.keys()) this.stop(name);
    }
}
