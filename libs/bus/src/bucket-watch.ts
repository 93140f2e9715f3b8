// Following a bucket: what is there, then every change; and after any interruption the difference.
//
// An interruption may outlast the markers that tell of deletions and expiries, and a server may come back with an empty store.
// So nothing is resumed: the watch reads the bucket again and compares it with what it has told its listener.
import { DeliverPolicy, type ConsumerMessages, type JetStreamClient, type JsMsg } from "@nats-io/jetstream";
import { DependencyError, InvariantError } from "@postern/errors";
import type { Change, WatchStatus, Watch } from "./bucket.ts";
import type { BusLog } from "./bus.ts";
import type { ConnectionStatus } from "./connection-status.ts";
import { ExpiringKeys } from "./expiring-keys.ts";
import { busFailure, isMissing, messageOf, REMEDY } from "./failures.ts";
import { operationOf } from "./kv-operation.ts";

const RETRY_PAUSE = 500;
const REPEAT_LOG_AFTER = 30_000;
// A consumer that is silent for two of these is taken for lost.
const HEARTBEAT = 5_000;
const PULL_EXPIRES = 30_000;

export interface WatchPorts<V> {
    readonly jetStream: JetStreamClient;
    readonly status: ConnectionStatus;
    readonly log: BusLog;
    readonly bucket: string;
    readonly stream: string;
    /** Subject filter. */
    readonly filter: string;
    readonly decode: (key: string, payload: Uint8Array) => V | undefined;
    /** Milliseconds after which a key expires without a note. */
    readonly timeToLive: number | undefined;
    /** Whether the bucket has anything under the key, a deletion included. */
    readonly isStored: (key: string) => Promise<boolean>;
    readonly onChange: (change: Change<V>) => void;
    readonly onStatus: (status: WatchStatus) => void;
    readonly onStop: () => void;
}

interface Stored {
    readonly revision: number;
    /** Nanoseconds since 1970. */
    readonly at: number;
}

const isSame = (known: Stored | undefined, stored: Stored): boolean =>
    known?.revision === stored.revision && known.at === stored.at;

export class BucketWatch<V> implements Watch {
    readonly ready: Promise<void>;
    readonly #ports: WatchPorts<V>;
    readonly #keyOffset: number;
    readonly #markReady: () => void;
    /** Key → what the listener knows of it: a revision, and when that was stored, because an emptied store counts from 1 again. */
    readonly #known = new Map<string, Stored>();
    readonly #expiring: ExpiringKeys | undefined;
    /** Keys of which the server is being asked whether they have expired. */
    readonly #asked = new Set<string>();
    /** Keys seen in the current reading of the bucket; `undefined` once that is complete. */
    #seen: Set<string> | undefined;
    #messages: ConsumerMessages | undefined;
    #stopListening: () => void;
    #retry: NodeJS.Timeout | undefined;
    #generation = 0;
    #status: WatchStatus = { current: false };
    /** What becomes of `#status` at the end of the current reading. */
    #found: WatchStatus = { current: false };
    /** Monotonic milliseconds of the last line about a failing reading; `undefined` while none fails. */
    #complainedAt: number | undefined;
    #stopped = false;

    constructor(ports: WatchPorts<V>) {
        this.#ports = ports;
        this.#keyOffset = `$KV.${ports.bucket}.`.length;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.ready = promise;
        this.#markReady = resolve;
        const { timeToLive } = ports;
        if (timeToLive !== undefined) {
            this.#expiring = new ExpiringKeys({ timeToLive, onDue: (key) => this.#askWhetherExpired(key) });
        }
        this.#stopListening = ports.status.onChange(({ connected }) => {
            if (connected) this.#restart();
            else this.#setStatus({ current: false });
        });
    }

    /** The first reading; rejects when it cannot begin. */
    async start(): Promise<void> {
        try {
            await this.#open();
        } catch (error) {
            this.stop();
            throw busFailure(error, `watching ${this.#ports.bucket}`);
        }
    }

    stop(): void {
        if (this.#stopped) return;
        this.#stopped = true;
        this.#generation += 1;
        this.#stopListening();
        clearTimeout(this.#retry);
        this.#messages?.stop();
        this.#expiring?.clear();
        this.#ports.onStop();
    }

    #restart(): void {
        clearTimeout(this.#retry);
        this.#open().catch((error: unknown) => {
            if (this.#stopped) return;
            const { status } = this.#ports;
            this.#complain(error);
            clearTimeout(this.#retry);
            // Without a connection, the next one starts it.
            if (status.status.connected) this.#retry = setTimeout(() => this.#restart(), RETRY_PAUSE);
        });
    }

    /** Loudly when the bucket is gone, because nothing but a person brings it back; not every time. */
    #complain(error: unknown): void {
        const { bucket, stream, log } = this.#ports;
        const now = performance.now();
        if (this.#complainedAt !== undefined && now - this.#complainedAt < REPEAT_LOG_AFTER) return;
        this.#complainedAt = now;
        if (isMissing(error)) {
            const { code, message } = new DependencyError("BUS_NOT_APPLIED", `bucket ${bucket} is gone; ${REMEDY}`);
            log.error({ code, bucket, stream }, message);
        } else log.warn({ bucket, reason: messageOf(error) }, "a bucket cannot be watched; trying again");
    }

    async #open(): Promise<void> {
        this.#generation += 1;
        const generation = this.#generation;
        this.#messages?.stop();
        this.#messages = undefined;
        this.#expiring?.clear();
        this.#setStatus({ current: false });
        const manager = await this.#ports.jetStream.jetstreamManager(false);
        const { created, state } = await manager.streams.info(this.#ports.stream);
        if (this.#isStale(generation)) return;
        this.#found = { current: true, madeAt: Date.parse(created), untouched: state.last_seq === 0 };
        const consumer = await this.#ports.jetStream.consumers.get(this.#ports.stream, {
            filter_subjects: this.#ports.filter,
            deliver_policy: DeliverPolicy.LastPerSubject,
        });
        if (this.#isStale(generation)) return;
        this.#seen = new Set();
        const { num_pending: pending } = await consumer.info(true);
        const messages = await consumer.consume({
            expires: PULL_EXPIRES,
            idle_heartbeat: HEARTBEAT,
            callback: (message) => {
                if (!this.#isStale(generation)) this.#receive(message);
            },
        });
        if (this.#isStale(generation)) return messages.stop();
        this.#messages = messages;
        this.#superviseUntilEnd(messages, generation);
        if (pending === 0) this.#complete();
    }

    /** The client would resume a broken consumer where it was; here the bucket is read again instead. */
    #superviseUntilEnd(messages: ConsumerMessages, generation: number): void {
        const supervise = async (): Promise<void> => {
            for await (const { type } of messages.status()) {
                if (this.#isStale(generation)) return;
                const broken = [
                    "heartbeats_missed",
                    "consumer_deleted",
                    "consumer_not_found",
                    "reset",
                    "stream_not_found",
                ];
                if (broken.includes(type)) return this.#restart();
            }
            if (!this.#isStale(generation)) this.#restart();
        };
        supervise().catch((error: unknown) => {
            if (!this.#isStale(generation)) this.#restart();
            this.#ports.log.warn({ bucket: this.#ports.bucket, reason: messageOf(error) }, "a watch was interrupted");
        });
    }

    #isStale(generation: number): boolean {
        return this.#stopped || generation !== this.#generation;
    }

    #receive(message: JsMsg): void {
        const key = message.subject.slice(this.#keyOffset);
        const revision = message.seq;
        const operation = operationOf(message.headers);
        this.#seen?.add(key);
        if (operation === "PUT") this.#expiring?.changed(key);
        const stored = { revision, at: message.info.timestampNanos };
        if (!isSame(this.#known.get(key), stored)) {
            if (operation === "PUT") this.#tellPut(key, stored, message.data);
            else this.#tellGone(key, revision, operation === "EXPIRED");
        }
        if (this.#seen !== undefined && message.info.pending === 0) this.#complete();
    }

    #tellPut(key: string, stored: Stored, payload: Uint8Array): void {
        const { revision } = stored;
        const value = this.#ports.decode(key, payload);
        // A value that cannot be read is as good as none.
        if (value === undefined) return this.#tellGone(key, revision, false);
        this.#known.set(key, stored);
        this.#tell({ kind: "put", entry: { key, value, revision } });
    }

    #tellGone(key: string, revision: number, expired: boolean): void {
        this.#expiring?.forget(key);
        if (this.#known.delete(key)) this.#tell({ kind: "gone", key, revision, expired });
    }

    #askWhetherExpired(key: string): void {
        const [generation, known] = [this.#generation, this.#known.get(key)];
        if (known === undefined || this.#asked.has(key)) return;
        this.#asked.add(key);
        const ask = async (): Promise<void> => {
            const stored = await this.#ports.isStored(key);
            const changed = this.#isStale(generation) || this.#known.get(key) !== known;
            if (!stored && !changed) this.#tellGone(key, known.revision, true);
        };
        ask()
            .catch((error: unknown) => {
                const { bucket, log } = this.#ports;
                log.warn({ bucket, key, reason: messageOf(error) }, "whether a key has expired is not known");
            })
            .finally(() => this.#asked.delete(key));
    }

    /** The reading is complete: what the listener knows and the bucket no longer has is gone, its marker too. */
    #complete(): void {
        const seen = this.#seen;
        if (seen === undefined) return;
        this.#seen = undefined;
        for (const [key, { revision }] of this.#known) {
            if (!seen.has(key)) this.#tellGone(key, revision, true);
        }
        const { bucket, log } = this.#ports;
        if (this.#complainedAt !== undefined) log.info({ bucket }, "the bucket is watched again");
        this.#complainedAt = undefined;
        this.#setStatus(this.#found);
        this.#markReady();
    }

    #setStatus(status: WatchStatus): void {
        if (!status.current && !this.#status.current) return;
        this.#status = status;
        this.#guard(() => this.#ports.onStatus(status));
    }

    #tell(change: Change<V>): void {
        this.#guard(() => this.#ports.onChange(change));
    }

    #guard(tell: () => void): void {
        try {
            tell();
        } catch (error) {
            // Thrown on, it would end the consumer.
            const defect = new InvariantError(`a listener of bucket ${this.#ports.bucket} threw`, { cause: error });
            this.#ports.log.error({ error: defect }, defect.message);
        }
    }
}
