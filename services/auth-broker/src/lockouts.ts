// Who has failed too often from where, shared by all brokers through KV `auth-state`.  Every count is a compare-and-set, so
// that guesses spread over brokers are counted together; checks are made in memory, which a watch keeps in step.
import type { Bucket, Watch } from "@postern/bus";
import { addressKey, encodeKey, type AuthStateRecord, type LockRecord } from "@postern/contracts";
import type { Logger } from "@postern/telemetry";
import type { Cancel, Clock } from "./clock.ts";

export interface LockoutRules {
    /** Failures that lock; 0: nothing is counted. */
    readonly failures: number;
    /** Milliseconds. */
    readonly window: number;
    readonly duration: number;
    readonly entries: number;
}

export interface LockoutPorts {
    readonly bucket: Pick<Bucket<AuthStateRecord>, "get" | "create" | "update" | "delete" | "watch">;
    readonly clock: Clock;
    readonly rules: LockoutRules;
    readonly log: Logger;
    /** Called by the one broker whose count made the lock, before the client hears of its failure. */
    readonly onLocked: (record: LockRecord & { readonly lockedUntil: string }) => Promise<void>;
    /** A failure could not be counted: the table is full, or the bus does not answer. */
    readonly onUncounted: () => void;
}

interface Held {
    readonly revision: number;
    readonly record: LockRecord;
}

const SWEEP_INTERVAL = 60_000;
/** Only brokers contend, each with one change of a key at a time, and somebody wins each time. */
const MAX_TRIES = 50;
/** The rest of the table is for users that exist, so that invented names cannot keep them from being counted. */
const SHARE_OF_UNKNOWN = 0.8;

export class Lockouts {
    readonly #ports: LockoutPorts;
    readonly #held = new Map<string, Held>();
    /** The last change under way for a key: changes of one key are made one after another. */
    readonly #changes = new Map<string, Promise<void>>();
    #watch: Watch | undefined;
    #cancelSweep: Cancel = () => undefined;

    constructor(ports: LockoutPorts) {
        this.#ports = ports;
    }

    /** Resolves when all locks are known. */
    async start(): Promise<void> {
        this.#watch = await this.#ports.bucket.watch(
            (change) => {
                if (change.kind === "gone") this.#forget(change.key, change.revision);
                else this.#remember(change.entry.key, change.entry.revision, change.entry.value);
            },
            { filter: "lock.>" },
        );
        await this.#watch.ready;
        this.#sweepLater();
    }

    stop(): void {
        this.#watch?.stop();
        this.#cancelSweep();
    }

    get size(): number {
        return this.#held.size;
    }

    /** Until when `user` is locked out from `source`, in milliseconds since 1970; `undefined`: is not. */
    lockedUntil(user: string, source: string): number | undefined {
        const lockedUntil = this.#held.get(lockKey(user, source))?.record.lockedUntil;
        if (lockedUntil === undefined) return undefined;
        const until = Date.parse(lockedUntil);
        return until > this.#ports.clock.now() ? until : undefined;
    }

    /** Counts a failure and locks where it was one too many; `exists`: the user does.  Never rejects. */
    async countFailure(user: string, source: string, exists: boolean): Promise<void> {
        if (this.#ports.rules.failures === 0) return;
        const key = lockKey(user, source);
        const room = this.#ports.rules.entries * (exists ? 1 : SHARE_OF_UNKNOWN);
        if (!this.#held.has(key) && this.#held.size >= room) return this.#ports.onUncounted();
        await this.#inTurn(key, () => this.#count(key, user, source));
    }

    /** Forgets the failures after a success.  Never rejects. */
    async clear(user: string, source: string): Promise<void> {
        const key = lockKey(user, source);
        if (!this.#held.has(key)) return;
        await this.#inTurn(key, async () => {
            const held = this.#held.get(key);
            // A failure that somebody counts at this moment stays.
            if (held === undefined || !(await this.#ports.bucket.delete(key, held.revision))) return;
            this.#forget(key, held.revision);
        });
    }

    async #inTurn(key: string, change: () => Promise<void>): Promise<void> {
        const previous = this.#changes.get(key) ?? Promise.resolve();
        const current = previous.then(change).catch((error: unknown) => {
            this.#ports.onUncounted();
            this.#ports.log.warn({ error }, "a failed login could not be counted towards a lock-out");
        });
        this.#changes.set(key, current);
        try {
            await current;
        } finally {
            if (this.#changes.get(key) === current) this.#changes.delete(key);
        }
    }

    async #count(key: string, user: string, source: string): Promise<void> {
        const { bucket, clock, log, onLocked, onUncounted } = this.#ports;
        for (let tries = 0; tries < MAX_TRIES; tries += 1) {
            if (this.lockedUntil(user, source) !== undefined) return;
            const held = this.#held.get(key);
            const record = this.#next(held?.record, user, source, clock.now());
            const ttlSeconds = this.#ttlSeconds(record);
            const revision =
                held === undefined
                    ? await bucket.create(key, record, { ttlSeconds })
                    : await bucket.update(key, record, held.revision, { ttlSeconds });
            if (revision !== undefined) {
                this.#remember(key, revision, record);
                const { lockedUntil } = record;
                if (lockedUntil !== undefined) await onLocked({ ...record, lockedUntil });
                return;
            }
            const found = await bucket.get(key);
            if (found === undefined) this.#held.delete(key);
            else this.#remember(key, found.revision, found.value);
        }
        onUncounted();
        log.warn({ user, source, tries: MAX_TRIES }, "a failed login could not be counted: too many at once");
    }

    #next(previous: LockRecord | undefined, user: string, source: string, now: number): LockRecord {
        const { failures: limit, duration } = this.#ports.rules;
        const failures = (previous === undefined || this.#isOver(previous, now) ? 0 : previous.failures) + 1;
        return {
            kind: "lock",
            user,
            source,
            failures,
            lastFailureAt: new Date(now).toISOString(),
            ...(failures >= limit ? { lockedUntil: new Date(now + duration).toISOString() } : {}),
        };
    }

    /** A lock that ran out, or failures that were too long ago. */
    #isOver({ lockedUntil, lastFailureAt }: LockRecord, now: number): boolean {
        if (lockedUntil !== undefined) return Date.parse(lockedUntil) <= now;
        return Date.parse(lastFailureAt) + this.#ports.rules.window <= now;
    }

    #ttlSeconds({ lockedUntil }: LockRecord): number {
        const { window, duration } = this.#ports.rules;
        return Math.ceil((lockedUntil === undefined ? window : duration) / 1000);
    }

    #remember(key: string, revision: number, record: AuthStateRecord): void {
        const held = this.#held.get(key);
        if (record.kind !== "lock" || (held !== undefined && held.revision > revision)) return;
        this.#held.set(key, { revision, record });
    }

    #forget(key: string, revision: number): void {
        const held = this.#held.get(key);
        if (held !== undefined && held.revision <= revision) this.#held.delete(key);
    }

    /** A key that expires while its stream has no leader leaves no word of it. */
    #sweepLater(): void {
        this.#cancelSweep = this.#ports.clock.after(SWEEP_INTERVAL, () => {
            const now = this.#ports.clock.now();
            for (const [key, { record }] of this.#held) if (this.#isOver(record, now)) this.#held.delete(key);
            this.#sweepLater();
        });
    }
}

const lockKey = (user: string, source: string): string => `lock.${encodeKey(user)}.${addressKey(source)}`;
