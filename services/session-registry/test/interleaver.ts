// A scheduler of everything that two registries wait for: each run is one of the orders in which it could have happened.

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
export function randomOf(seed: number): () => number {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}

export class Interleaver {
    readonly #random: () => number;
    readonly #waiting: (() => void)[] = [];
    #isCalm = false;

    constructor(random: () => number) {
        this.#random = random;
    }

    /** Resolves when it is this one's turn. */
    readonly pace = (): Promise<void> =>
        this.#isCalm ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));

    /** Gives turns until `isOver`; `letTimePass` is called when nothing else can happen, and now and then before. */
    async storm(isOver: () => boolean, letTimePass: () => boolean): Promise<void> {
        for (let turn = 0; turn < 100_000; turn += 1) {
            await new Promise((resolve) => setImmediate(resolve));
            if (isOver()) return;
            const isIdle = this.#waiting.length === 0;
            if ((isIdle || this.#random() < 0.02) && letTimePass()) continue;
            if (isIdle) throw new Error("nothing can happen any more");
            const [next] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1);
            next?.();
        }
        throw new Error("it does not end");
    }

    /** From now on nobody waits for anybody. */
    calm(): void {
        this.#isCalm = true;
        for (const resolve of this.#waiting.splice(0)) resolve();
    }
}
