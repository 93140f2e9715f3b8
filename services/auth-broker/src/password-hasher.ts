// PAP passwords are verified a few at a time: each takes 32 MiB and a thread of the pool that files need, too.
import { verifyPassword, type PasswordHash } from "@postern/accounts";

export interface HashingRules {
    readonly concurrency: number;
    /** Verifications that may wait for their turn. */
    readonly waiting: number;
}

/** One slow hash; `verifyPassword` outside of tests. */
export type Verify = (stored: PasswordHash, password: Uint8Array) => Promise<boolean>;

export class PasswordHasher {
    readonly #rules: HashingRules;
    readonly #verify: Verify;
    readonly #queue: (() => void)[] = [];
    #running = 0;

    constructor(rules: HashingRules, verify: Verify = verifyPassword) {
        this.#rules = rules;
        this.#verify = verify;
    }

    get running(): number {
        return this.#running;
    }

    get waiting(): number {
        return this.#queue.length;
    }

    /** Whether the password is right; `undefined`: too many wait already, or `signal` was aborted before its turn. */
    async verify(stored: PasswordHash, password: Uint8Array, signal: AbortSignal): Promise<boolean | undefined> {
        if (!(await this.#turn(signal))) return undefined;
        try {
            return await this.#verify(stored, password);
        } finally {
            this.#running -= 1;
            this.#queue.shift()?.();
        }
    }

    /** Resolves true with `#running` raised, or false. */
    #turn(signal: AbortSignal): Promise<boolean> {
        if (signal.aborted) return Promise.resolve(false);
        if (this.#running < this.#rules.concurrency) {
            this.#running += 1;
            return Promise.resolve(true);
        }
        if (this.#queue.length >= this.#rules.waiting) return Promise.resolve(false);
        return new Promise((resolve) => {
            const start = (): void => {
                signal.removeEventListener("abort", leave);
                this.#running += 1;
                resolve(true);
            };
            const leave = (): void => {
                const place = this.#queue.indexOf(start);
                if (place >= 0) this.#queue.splice(place, 1);
                resolve(false);
            };
            this.#queue.push(start);
            signal.addEventListener("abort", leave, { once: true });
        });
    }
}
