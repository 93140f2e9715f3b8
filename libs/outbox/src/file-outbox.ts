// The outbox of one instance: what it appends, what earlier starts left, and what it took over from dead peers.
import {
    eventType,
    registryRelease,
    sessionEnded,
    sessionLateCounters,
    subjectsOf,
    type EventContract,
    type ReleaseQuestion,
    type Subjects,
} from "@postern/contracts";
import { DependencyError, InvariantError } from "@postern/errors";
import type { z } from "zod";
import { adoptDirectory, type Adoption } from "./adoption.ts";
import { entryOf, type Delivery } from "./delivery.ts";
import type { DirectoryLock } from "./directory-lock.ts";
import type { AdoptOptions, Outbox, OutboxOptions, OutboxStatistics } from "./outbox.ts";
import { directoriesWithLeftovers, instanceOf, type DirectoryOptions } from "./outbox-directory.ts";
import type { Room } from "./room.ts";
import type { EntryRecord } from "./records.ts";

/** NATS takes messages of 1 MiB by default. */
const MAX_EVENT_SIZE = 512 * 1024;

export interface FileOutboxParts {
    readonly options: OutboxOptions;
    readonly directory: DirectoryOptions;
    readonly lock: DirectoryLock;
    /** Of earlier starts, oldest first. */
    readonly earlier: readonly Delivery[];
    readonly current: Delivery;
    readonly corruptions: number;
    readonly room: Room;
    /** Calls back about once a second, until the result is called. */
    readonly everySecond: (task: () => Promise<void>) => () => void;
}

export class FileOutbox implements Outbox {
    readonly source: string;
    readonly epoch: number;
    readonly #options: OutboxOptions;
    readonly #directory: DirectoryOptions;
    readonly #subjects: Subjects;
    readonly #clock: () => number;
    readonly #lock: DirectoryLock;
    readonly #room: Room;
    readonly #current: Delivery;
    /** Of earlier starts of this instance, until nothing is left of them. */
    #earlier: readonly Delivery[];
    #adoptions: Adoption[] = [];
    #adopting: Promise<string[]> = Promise.resolve([]);
    /** Of deliveries that are gone. */
    readonly #past = { published: 0, retries: 0, dropped: 0, corruptions: 0 };
    readonly #stopTrimming: () => void;
    #trimming: Promise<void> | undefined;
    #closing: Promise<void> | undefined;

    constructor({ options, directory, lock, earlier, current, corruptions, room, everySecond }: FileOutboxParts) {
        this.#options = options;
        this.#directory = directory;
        this.#lock = lock;
        this.#room = room;
        this.#earlier = earlier;
        this.#current = current;
        this.#past.corruptions = corruptions;
        this.#subjects = subjectsOf(options.tenant);
        this.#clock = options.clock ?? Date.now;
        this.source = current.journal.owner.source;
        this.epoch = current.journal.owner.epoch;
        this.#startInOrder(earlier).catch((error: unknown) => options.log.error({ error }, "the outbox cannot start"));
        this.#stopTrimming = everySecond(() =>
            this.#trim().catch((error: unknown) => options.log.warn({ error }, "the outbox cannot be trimmed")),
        );
    }

    get accepting(): boolean {
        return this.#closing === undefined && !this.#room.isShort && this.#bytes < this.#limit(false);
    }

    async append<D extends z.ZodType>(
        contract: EventContract<D>,
        about: string,
        data: z.input<D>,
        settle?: ReleaseQuestion,
    ): Promise<void> {
        if (this.#closing !== undefined) throw new DependencyError("OUTBOX_CLOSED");
        const record = this.#recordOf(contract, about, data, settle);
        const size = Buffer.byteLength(JSON.stringify(record));
        if (size > MAX_EVENT_SIZE) throw new InvariantError(`an event of ${size} bytes: ${record.type}`);
        if (this.#bytes + size > this.#limit(isEnd(contract))) {
            throw new DependencyError("OUTBOX_FULL", `${this.#bytes} bytes in ${this.#options.directory}`);
        }
        if (this.#room.isShort && !isEnd(contract)) {
            throw new DependencyError("OUTBOX_FULL", `the disk of ${this.#options.directory} is full`);
        }
        const index = await this.#current.journal.append({ kind: "entry", entry: record }, isEnd(contract));
        this.#current.add(entryOf(index, record));
    }

    statistics(): OutboxStatistics {
        const deliveries = this.#deliveries();
        const sum = (of: (delivery: Delivery) => number): number =>
            deliveries.reduce((total, delivery) => total + of(delivery), 0);
        const oldest = Math.min(...deliveries.map(({ oldestWaiting }) => oldestWaiting ?? Infinity));
        return {
            waiting: sum(({ counts }) => counts.waiting),
            bytes: this.#bytes,
            oldestAge: oldest === Infinity ? 0 : Math.max(0, this.#clock() - oldest),
            published: this.#past.published + sum(({ counts }) => counts.published),
            retries: this.#past.retries + sum(({ counts }) => counts.retries),
            dropped: this.#past.dropped + sum(({ counts }) => counts.dropped),
            corruptions: this.#past.corruptions,
        };
    }

    adoptOrphans(root: string, options: AdoptOptions): Promise<string[]> {
        // One at a time: each takes locks.
        this.#adopting = this.#adopting.catch(() => []).then(() => this.#adoptOrphans(root, options));
        return this.#adopting;
    }

    async drained(signal?: AbortSignal): Promise<void> {
        const all = Promise.all(this.#deliveries().map((delivery) => delivery.acknowledged()));
        if (signal === undefined) {
            await all;
            return;
        }
        signal.throwIfAborted();
        const { promise: aborted, reject } = Promise.withResolvers<never>();
        const abort = (): void => reject(signal.reason);
        signal.addEventListener("abort", abort, { once: true });
        try {
            await Promise.race([all, aborted]);
        } finally {
            signal.removeEventListener("abort", abort);
        }
    }

    close(): Promise<void> {
        this.#closing ??= this.#close();
        return this.#closing;
    }

    async #close(): Promise<void> {
        const { log } = this.#options;
        this.#stopTrimming();
        await this.#adopting.catch(() => []);
        for (const delivery of this.#deliveries()) delivery.stop();
        try {
            // What is not forgotten now is only published again by the next start.
            await this.#trimming?.catch(() => undefined);
            await this.#trim().catch((error: unknown) => log.warn({ error }, "the outbox cannot be trimmed"));
            for (const { journal } of [...this.#earlier, this.#current]) await journal.close();
            for (const adoption of this.#adoptions) await adoption.release();
        } finally {
            await this.#lock.release();
        }
    }

    async #startInOrder(earlier: readonly Delivery[]): Promise<void> {
        for (const delivery of earlier) {
            delivery.start();
            await delivery.acknowledged();
        }
        this.#current.start();
    }

    #deliveries(): readonly Delivery[] {
        return [...this.#earlier, this.#current, ...this.#adoptions.flatMap(({ deliveries }) => deliveries)];
    }

    get #bytes(): number {
        return [...this.#earlier, this.#current].reduce((sum, { journal }) => sum + journal.bytes, 0);
    }

    #limit(end: boolean): number {
        const { maxBytes, reservedBytes = Math.floor(maxBytes / 4) } = this.#options;
        return end ? maxBytes : maxBytes - reservedBytes;
    }

    #recordOf(contract: EventContract, about: string, data: unknown, settle: ReleaseQuestion | undefined): EntryRecord {
        const type = eventType(contract);
        if (!contract.durable) throw new InvariantError(`${type} is not durable`);
        if (settle !== undefined && !isEnd(contract)) throw new InvariantError(`${type} cannot be settled`);
        const checked = contract.data.safeParse(data);
        if (!checked.success) throw new InvariantError(`${type}: ${checked.error.message}`, { cause: checked.error });
        const record = {
            to: this.#subjects.event(contract, about),
            type,
            about,
            time: new Date(this.#clock()).toISOString(),
            data: checked.data as EntryRecord["data"], // event data are JSON: that is what contracts describe
        };
        if (settle === undefined) return record;
        const late = { to: this.#subjects.event(sessionLateCounters, about), type: eventType(sessionLateCounters) };
        // As it is written: without the fields that are absent.
        const question = JSON.parse(JSON.stringify(registryRelease.question.parse(settle))) as EntryRecord["settle"]; // JSON
        return { ...record, settle: question, late };
    }

    /** One at a time. */
    #trim(): Promise<void> {
        this.#trimming ??= this.#trimAll().finally(() => (this.#trimming = undefined));
        return this.#trimming;
    }

    async #trimAll(): Promise<void> {
        await this.#room.look();
        for (const delivery of this.#deliveries()) await delivery.trim();
        const finished = this.#earlier.filter(({ done }) => done);
        this.#earlier = this.#earlier.filter(({ done }) => !done);
        for (const delivery of finished) {
            this.#remember(delivery);
            await delivery.journal.remove();
        }
        for (const adoption of this.#adoptions) {
            if (await adoption.finishOrYield()) for (const delivery of adoption.deliveries) this.#remember(delivery);
        }
        this.#adoptions = this.#adoptions.filter(({ released }) => !released);
    }

    #remember(delivery: Delivery): void {
        delivery.stop();
        this.#past.published += delivery.counts.published;
        this.#past.retries += delivery.counts.retries;
        this.#past.dropped += delivery.counts.dropped;
    }

    async #adoptOrphans(root: string, options: AdoptOptions): Promise<string[]> {
        const adopted: string[] = [];
        for (const directory of await directoriesWithLeftovers(this.#directory.host.disk, root)) {
            const instance = instanceOf(directory);
            if (this.#closing !== undefined || instance === this.#options.instance || (await options.alive(instance)))
                continue;
            const { tenant, service } = this.#options;
            const identity = { source: `postern/${tenant}/${service}/${instance}`, instance };
            const adoption = await adoptDirectory({ ...this.#directory, directory, identity }, this.#options.instance);
            if (adoption === undefined) continue;
            this.#past.corruptions += adoption.corruptions;
            this.#adoptions.push(adoption);
            adopted.push(instance);
        }
        return adopted;
    }
}

const isEnd = ({ kind, name }: EventContract): boolean => kind === sessionEnded.kind && name === sessionEnded.name;
