// Tasks by key: asked for while one is under way, a second one is not begun.

export class SingleFlight<T> {
    readonly #underWay = new Map<string, Promise<T>>();

    /** The result of the task under way for `key`, else of `task`. */
    run(key: string, task: () => Promise<T>): Promise<T> {
        const current = this.#underWay.get(key);
        if (current !== undefined) return current;
        const begun = task().finally(() => this.#underWay.delete(key));
        this.#underWay.set(key, begun);
        return begun;
    }
}
