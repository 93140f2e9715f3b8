// Rate limits by name: a token bucket each, for as many names as memory is given to.
import type { Clock } from "./clock.ts";
import { RecentMap } from "./recent-map.ts";

export interface TokenBucketRules {
    readonly burst: number;
    readonly perMinute: number;
}

interface TokenBucket {
    readonly tokens: number;
    readonly at: number;
}

const MINUTE = 60_000;

export class TokenBuckets {
    readonly #clock: Clock;
    readonly #rules: TokenBucketRules;
    /** A name that was forgotten has a full bucket again: it is the one that has been quiet for longest. */
    readonly #buckets: RecentMap<TokenBucket>;

    constructor(clock: Clock, rules: TokenBucketRules, limit: number) {
        this.#clock = clock;
        this.#rules = rules;
        this.#buckets = new RecentMap(limit);
    }

    /** Takes a token of `name`; false: there is none, and nothing was taken. */
    take(name: string): boolean {
        const now = this.#clock.now();
        const tokens = this.#tokens(name, now);
        if (tokens < 1) return false;
        this.#buckets.set(name, { tokens: tokens - 1, at: now });
        return true;
    }

    #tokens(name: string, now: number): number {
        const { burst, perMinute } = this.#rules;
        const bucket = this.#buckets.get(name);
        if (bucket === undefined) return burst;
        // The clock of the wall may go back.
        const elapsed = Math.max(0, now - bucket.at);
        return Math.min(burst, bucket.tokens + (elapsed * perMinute) / MINUTE);
    }
}
