// When to ask whether a key has expired, in a bucket whose server says nothing when one does.

export interface ExpiringKeysPorts {
    /** Milliseconds that a key stays after its last change. */
    readonly timeToLive: number;
    /** The key may have expired; called again until it is changed or forgotten. */
    readonly onDue: (key: string) => void;
}

/** Asked again after this part of the time to live: the server looks for expired messages now and then. */
const PAUSE_PART = 0.1;
const PAUSE_MIN = 50;

export class ExpiringKeys {
    readonly #ports: ExpiringKeysPorts;
    /** Key → when it is due, on the clock of `performance.now()`. */
    readonly #due = new Map<string, number>();
    #timer: NodeJS.Timeout | undefined;

    constructor(ports: ExpiringKeysPorts) {
        this.#ports = ports;
    }

    /** The key was changed just now; or that long ago, but then the first question comes later than need be. */
    changed(key: string): void {
        this.#setDue(key, this.#ports.timeToLive);
    }

    forget(key: string): void {
        this.#due.delete(key);
    }

    clear(): void {
        this.#due.clear();
        clearTimeout(this.#timer);
        this.#timer = undefined;
    }

    #setDue(key: string, after: number): void {
        this.#due.set(key, performance.now() + after);
        this.#timer ??= setTimeout(() => this.#look(), after);
    }

    #look(): void {
        this.#timer = undefined;
        const now = performance.now();
        const pause = Math.max(PAUSE_MIN, this.#ports.timeToLive * PAUSE_PART);
        for (const [key, at] of this.#due) {
            if (at > now) continue;
            this.#due.set(key, now + pause);
            this.#ports.onDue(key);
        }
        const next = Math.min(...this.#due.values());
        if (Number.isFinite(next)) this.#timer = setTimeout(() => this.#look(), Math.max(1, next - now));
    }
}
