// Tasks of one key one after another: spares this replica compare-and-set races with itself.

export class SerialTasks {
    readonly #last = new Map<string, Promise<unknown>>();

    /** Runs `task` when all earlier ones of `key` are over, however they ended. */
    async run<T>(key: string, task: () => Promise<T>): Promise<T> {
        const before = this.#last.get(key);
        const mine = before === undefined ? task() : before.then(task, task);
        // Whoever waits behind this one only waits for its end.
        const over = mine.then(ignore, ignore);
        this.#last.set(key, over);
        try {
            return await mine;
        } finally {
            if (this.#last.get(key) === over) this.#last.delete(key);
        }
    }
}

const ignore = (): void => undefined;
