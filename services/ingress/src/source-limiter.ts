// What one source may take: connections at once, and new ones a second (token bucket).
import type { RejectReason } from "@postern/contracts";

export interface SourceLimits {
    readonly perSource: number;
    /** New connections a second. */
    readonly acceptRate: number;
    readonly acceptBurst: number;
    /** Sources that are remembered. */
    readonly sources: number;
}

interface Source {
    connections: number;
    tokens: number;
    /** Monotonic milliseconds of the last refill. */
    at: number;
}

export class SourceLimiter {
    readonly #limits: SourceLimits;
    readonly #now: () => number;
    /** In order of last use, so that the first is the longest silent one. */
    readonly #sources = new Map<string, Source>();

    constructor(limits: SourceLimits, now: () => number) {
        this.#limits = limits;
        this.#now = now;
    }

    get size(): number {
        return this.#sources.size;
    }

    /** Counts a new connection of `key`; or says why it is one too many, and counts nothing. */
    admit(key: string): Extract<RejectReason, "source-limit" | "source-rate"> | undefined {
        const source = this.#touch(key);
        if (source.connections >= this.#limits.perSource) return "source-limit";
        if (source.tokens < 1) return "source-rate";
        source.tokens -= 1;
        source.connections += 1;
        return undefined;
    }

    /** A connection that `admit` counted is over. */
    release(key: string): void {
        const source = this.#sources.get(key);
        if (source !== undefined) source.connections = Math.max(0, source.connections - 1);
    }

    #touch(key: string): Source {
        const { acceptRate, acceptBurst } = this.#limits;
        const now = this.#now();
        const known = this.#sources.get(key);
        if (known === undefined) this.#makeRoom();
        const source = known ?? { connections: 0, tokens: acceptBurst, at: now };
        source.tokens = Math.min(acceptBurst, source.tokens + ((now - source.at) / 1_000) * acceptRate);
        source.at = now;
        this.#sources.delete(key);
        this.#sources.set(key, source);
        return source;
    }

    /**
     * Forgets the longest silent sources without connections.  It looks at a few only, so that a flood stays cheap; connected ones
     * that it meets go to the end, so that the next look does not meet them again.  They are never forgotten: there are no
     * more of them than connections.
     */
    #makeRoom(): void {
        let looks = LOOKS;
        for (const [key, source] of this.#sources) {
            if (this.#sources.size < this.#limits.sources || looks === 0) return;
            this.#sources.delete(key);
            if (source.connections > 0) this.#sources.set(key, source);
            looks -= 1;
        }
    }
}

/** Sources that are looked at to make room for one. */
const LOOKS = 8;
