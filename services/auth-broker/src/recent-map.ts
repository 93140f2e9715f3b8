// A map of bounded size that forgets what was not touched for longest.

export class RecentMap<Value> {
    readonly #limit: number;
    /** In the order of the last touch, the oldest first. */
    readonly #values = new Map<string, Value>();

    constructor(limit: number) {
        this.#limit = limit;
    }

    get size(): number {
        return this.#values.size;
    }

    get(key: string): Value | undefined {
        return this.#values.get(key);
    }

    /** Makes `value` the newest. */
    set(key: string, value: Value): void {
        this.#values.delete(key);
        if (this.#values.size >= this.#limit) this.#forgetOldest();
        this.#values.set(key, value);
    }

    delete(key: string): void {
        this.#values.delete(key);
    }

    #forgetOldest(): void {
        for (const oldest of this.#values.keys()) {
            this.#values.delete(oldest);
            return;
        }
    }
}
