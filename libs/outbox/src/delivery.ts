// Bringing the entries of one journal to the stream, and forgetting them when the stream has them for good.
import { cloudEventOf, destinationOf, eventId } from "./cloud-event.ts";
import type { Journal } from "./journal.ts";
import type { EventStream, OutboxLog, OutboxOptions } from "./outbox.ts";
import { Publisher, type Acknowledgement, type Publication } from "./publisher.ts";
import type { Cursor, EntryRecord } from "./records.ts";
import { Resolver, type Resolved, type Unresolved } from "./resolver.ts";

export interface DeliveryPorts {
    readonly journal: Journal;
    readonly stream: EventStream;
    readonly settle: OutboxOptions["settle"];
    readonly log: OutboxLog;
    readonly random: () => number;
    /** Monotonic milliseconds. */
    readonly elapsed: () => number;
    /** Milliseconds that an acknowledged entry is kept, because the stream may not have it on disk yet; 0: it has. */
    readonly retention: number;
    readonly order: "source" | "partition";
}

/** An entry that is not yet done; those that are published first come first. */
interface Kept {
    readonly index: number;
    readonly appendedAt: number;
    /** Known once it is resolved. */
    sequence: number | undefined;
    publication: Publication | undefined;
    /** Of the last acknowledgement, while that holds; for entries that are not published, of their resolution. */
    acknowledgedAt: number | undefined;
}

export class Delivery {
    readonly journal: Journal;
    readonly #ports: DeliveryPorts;
    readonly #stopping = new AbortController();
    readonly #resolver: Resolver;
    readonly #publisher: Publisher;
    readonly #kept: Kept[] = [];
    readonly #byIndex = new Map<number, Kept>();
    readonly #held: Unresolved[] = [];
    #started = false;
    #cursor: Cursor;
    #trimming = false;
    #newestStored = 0;
    #whenAcknowledged = Promise.withResolvers<void>();
    readonly counts = { waiting: 0, published: 0, retries: 0, dropped: 0 };

    constructor(ports: DeliveryPorts, cursor: Cursor, recovered: readonly Unresolved[]) {
        this.#ports = ports;
        this.journal = ports.journal;
        this.#cursor = cursor;
        const { log, random } = ports;
        const stopping = this.#stopping.signal;
        this.#publisher = new Publisher({
            stream: ports.stream,
            log,
            random,
            stopping,
            onInterruption: () => this.#publishAgain(),
            onRetry: () => (this.counts.retries += 1),
        });
        this.#resolver = new Resolver(
            {
                settle: ports.settle,
                log,
                random,
                stopping,
                decide: (index, resolution) => ports.journal.append({ kind: "resolution", index, resolution }),
                onResolved: (index, sequence, resolved) => this.#resolved(index, sequence, resolved),
            },
            cursor.sequence,
        );
        for (const entry of recovered) this.add(entry);
    }

    /** Milliseconds since 1970 of the oldest entry that waits. */
    get oldestWaiting(): number | undefined {
        return this.#kept.find(({ acknowledgedAt }) => acknowledgedAt === undefined)?.appendedAt;
    }

    /** Nothing is left that the stream might still need. */
    get done(): boolean {
        return this.#kept.length === 0;
    }

    /** Entries come in the order of their indexes. */
    add(entry: Unresolved): void {
        const appendedAt = entry.record === undefined ? 0 : Date.parse(entry.record.time);
        const kept: Kept = {
            index: entry.index,
            appendedAt,
            sequence: undefined,
            publication: undefined,
            acknowledgedAt: undefined,
        };
        this.#kept.push(kept);
        this.#byIndex.set(entry.index, kept);
        if (this.counts.waiting === 0) this.#whenAcknowledged = Promise.withResolvers<void>();
        this.counts.waiting += 1;
        if (this.#started) this.#resolver.add(entry);
        else this.#held.push(entry);
    }

    /** Not before what came earlier from the same source is told. */
    start(): void {
        this.#started = true;
        for (const entry of this.#held.splice(0)) this.#resolver.add(entry);
    }

    /** Resolves when the stream has acknowledged everything that has been added. */
    async acknowledged(): Promise<void> {
        while (this.counts.waiting > 0) await this.#whenAcknowledged.promise;
    }

    /** Forgets what was acknowledged long enough ago; called about once a second. */
    async trim(): Promise<void> {
        const before = this.#ports.elapsed() - this.#ports.retention;
        let cursor = this.#cursor;
        let forgotten = 0;
        for (const { index, sequence, acknowledgedAt } of this.#kept) {
            if (acknowledgedAt === undefined || acknowledgedAt > before || sequence === undefined) break;
            cursor = { index, sequence };
            forgotten += 1;
        }
        if (forgotten === 0 || this.#trimming) return;
        this.#trimming = true;
        try {
            for (const { index } of this.#kept.splice(0, forgotten)) this.#byIndex.delete(index);
            this.#cursor = cursor;
            await this.journal.trim(cursor);
        } finally {
            this.#trimming = false;
        }
    }

    /** Publishes and asks no more; the journal stays as it is. */
    stop(): void {
        this.#stopping.abort();
    }

    #resolved(index: number, sequence: number, resolved: Resolved | undefined): void {
        const kept = this.#byIndex.get(index);
        if (kept === undefined) return;
        kept.sequence = sequence;
        if (resolved === undefined) {
            this.counts.dropped += 1;
            this.#acknowledge(kept);
            return;
        }
        const { owner } = this.journal;
        const subject = destinationOf(resolved);
        kept.publication = {
            lane: this.#ports.order === "source" ? "" : subject.slice(subject.lastIndexOf(".") + 1),
            subject,
            id: eventId(owner, sequence),
            payload: () => JSON.stringify(cloudEventOf(owner, resolved)),
            onAcknowledged: (acknowledgement) => {
                this.#checkStore(acknowledgement);
                if (acknowledgement.duplicate !== true) this.counts.published += 1;
                this.#acknowledge(kept);
            },
        };
        this.#publisher.enqueue(kept.publication);
    }

    #acknowledge(kept: Kept): void {
        kept.acknowledgedAt = this.#ports.elapsed();
        this.counts.waiting -= 1;
        if (this.counts.waiting === 0) this.#whenAcknowledged.resolve();
    }

    /** The server may have come back without the last of what it acknowledged; the stream drops what it still has by its id. */
    #publishAgain(): void {
        if (this.#ports.retention === 0) return;
        const again = this.#kept.filter(
            ({ publication, acknowledgedAt }) => publication && acknowledgedAt !== undefined,
        );
        if (again.length === 0) return;
        this.#ports.log.info({ events: again.length }, "publishing again what the stream may not have kept");
        if (this.counts.waiting === 0) this.#whenAcknowledged = Promise.withResolvers<void>();
        this.counts.waiting += again.length;
        for (const kept of again) kept.acknowledgedAt = undefined;
        this.#publisher.repeat(again.flatMap(({ publication }) => publication ?? []));
    }

    /** Sequence numbers of a stream only grow, unless it was made anew or restored from an old copy. */
    #checkStore({ sequence, duplicate }: Acknowledgement): void {
        if (duplicate === true) return;
        if (sequence <= this.#newestStored) {
            const fields = { before: this.#newestStored, now: sequence, source: this.journal.owner.source };
            this.#ports.log.error(
                fields,
                "the event stream went back: events that it had acknowledged are gone from it",
            );
        }
        this.#newestStored = sequence;
    }
}

export const entryOf = (index: number, record: EntryRecord): Unresolved => ({ index, record, resolution: undefined });
