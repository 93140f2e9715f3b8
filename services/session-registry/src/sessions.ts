// The records of sessions: `sessions/<id>`.  Whoever creates the key decides whether the session is, or will never be.
import type { Bucket, WatchStatus } from "@postern/bus";
import type { Counters, SessionEntry, SessionRecord, VoidSession } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { timestamp, type Clock } from "./clock.ts";
import { AGAIN, type Retry } from "./retry.ts";
import { WatchedBucket } from "./watched-bucket.ts";

export type Refusal = VoidSession["refusal"];

export interface SessionsPorts {
    readonly bucket: Bucket<SessionEntry>;
    readonly clock: Clock;
    readonly retry: Retry;
    readonly instance: string;
    readonly onStatus?: (status: WatchStatus) => void;
}

export class Sessions {
    /** The copy is without snapshots, which are most of a record. */
    readonly records: WatchedBucket<SessionEntry>;
    readonly #ports: SessionsPorts;
    readonly #byWorker = new Map<string, Set<string>>();
    readonly #waiting = new Map<string, Set<() => void>>();
    /** Of live sessions, what their workers have told this replica since it started. */
    readonly #reported = new Map<string, Counters>();

    constructor(ports: SessionsPorts) {
        this.#ports = ports;
        this.records = new WatchedBucket({
            bucket: ports.bucket,
            clock: ports.clock,
            keep: withoutSnapshot,
            ...(ports.onStatus === undefined ? {} : { onStatus: ports.onStatus }),
            onChange: (_key, after, before) => this.#index(after?.value, before?.value),
        });
    }

    /** Workers that have live sessions. */
    workers(): Iterable<string> {
        return this.#byWorker.keys();
    }

    /** Live sessions of a worker, as far as this replica has seen. */
    of(worker: string): SessionRecord[] {
        return [...(this.#byWorker.get(worker) ?? [])].flatMap((session) => {
            const record = this.records.known(session)?.entry.value;
            return record?.state === "admitted" ? [record] : [];
        });
    }

    /** Remembers what the worker of a live session has just said. */
    report(session: string, counters: Counters): void {
        if (this.records.known(session)?.entry.value.state === "admitted") this.#reported.set(session, counters);
    }

    /** Newer than the record's, which are those of its last snapshot. */
    reported(session: string): Counters | undefined {
        return this.#reported.get(session);
    }

    /** By memory if it knows the session, else by the bucket: what is over stays over. */
    async find(session: string): Promise<SessionEntry | undefined> {
        return (this.records.known(session)?.entry ?? (await this.records.fetch(session)))?.value;
    }

    async isOver(session: string): Promise<boolean> {
        const entry = await this.find(session);
        return entry !== undefined && entry.state !== "admitted";
    }

    /** Whether these records are younger than a session, so that its absence says nothing.  Rejects while that is not known. */
    predates(admittedAt: string): boolean {
        const { isCurrent, madeAt } = this.records;
        if (!isCurrent || madeAt === undefined) {
            throw new DependencyError("REGISTRY_REBUILDING", `bucket ${this.#ports.bucket.name} cannot be followed`);
        }
        // Records have whole milliseconds.
        return Date.parse(admittedAt) < Math.floor(madeAt);
    }

    /** The end of a session without a record: the first claim to it is written down where the record would be. */
    async endWithoutRecord(
        session: string,
        claim: { readonly by: string; readonly at: string },
    ): Promise<SessionEntry> {
        const refusal = { reason: "session-ended", message: "the session ended while its record was lost" } as const;
        return this.#void({ session, state: "void", ...claim, ended: true, refusal });
    }

    /** Sees to it that a session that has no record never gets one; what the key holds, which may have come first. */
    async annul(session: string, refusal: Refusal): Promise<SessionEntry> {
        const { clock, instance } = this.#ports;
        return this.#void({ session, state: "void", at: timestamp(clock.now()), by: instance, refusal });
    }

    #void(value: VoidSession): Promise<SessionEntry> {
        const { session } = value;
        return this.#ports.retry(`record of session ${session}`, async () => {
            if ((await this.records.create(session, value)) !== undefined) return value;
            return (await this.records.fetch(session))?.value ?? AGAIN;
        });
    }

    /** True when the session is seen to be over within so many milliseconds. */
    async untilOver(session: string, milliseconds: number): Promise<boolean> {
        const isOver = (): boolean => this.records.known(session)?.entry.value.state !== "admitted";
        if (isOver()) return true;
        const { promise, resolve } = Promise.withResolvers<void>();
        const cancel = this.#ports.clock.after(milliseconds, resolve);
        const waiting = this.#waiting.get(session) ?? new Set();
        this.#waiting.set(session, waiting.add(resolve));
        await promise;
        cancel();
        waiting.delete(resolve);
        if (waiting.size === 0) this.#waiting.delete(session);
        return isOver();
    }

    #index(after: SessionEntry | undefined, before: SessionEntry | undefined): void {
        if (before?.state === "admitted") {
            const sessions = this.#byWorker.get(before.worker);
            sessions?.delete(before.session);
            if (sessions?.size === 0) this.#byWorker.delete(before.worker);
        }
        if (after?.state === "admitted") {
            const sessions = this.#byWorker.get(after.worker) ?? new Set();
            this.#byWorker.set(after.worker, sessions.add(after.session));
        } else if (before !== undefined) {
            this.#reported.delete(before.session);
            for (const wake of this.#waiting.get(before.session) ?? []) wake();
        }
    }
}

function withoutSnapshot(entry: SessionEntry): SessionEntry {
    if (entry.state === "void") return entry;
    const { snapshot: _, ...rest } = entry;
    return rest;
}

/** The record of a session that is over. */
export function endedRecord(
    record: SessionRecord,
    epoch: number,
    ended: NonNullable<SessionRecord["ended"]>,
): SessionRecord {
    const { snapshot: _, ...rest } = record;
    return { ...rest, epoch, state: "ended", counters: ended.counters, ended };
}
