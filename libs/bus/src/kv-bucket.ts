// A KV bucket (ADR-8 of the NATS architecture) over plain JetStream requests.
//
// Written on the stream itself and not on the client's KV layer: that layer cannot give a key a time to live when it changes,
// lists keys that have expired, and does not tell a watcher expiry from deletion (docs/adr/0003-kv-buckets-on-jetstream.md).
import {
    DeliverPolicy,
    JetStreamApiCodes,
    JetStreamApiError,
    type JetStreamClient,
    type JetStreamManager,
    type JetStreamPublishOptions,
} from "@nats-io/jetstream";
import { headers, millis, type MsgHdrs } from "@nats-io/transport-node";
import type { BucketContract } from "@postern/contracts";
import { DependencyError, InvariantError } from "@postern/errors";
import type { z } from "zod";
import type { Bucket, Change, Entry, Watch, WatchOptions } from "./bucket.ts";
import { BucketWatch } from "./bucket-watch.ts";
import type { BusLog, BusMetrics, Stoppable } from "./bus.ts";
import type { ConnectionStatus } from "./connection-status.ts";
import { busFailure, messageOf } from "./failures.ts";
import { decodeJson, encodeJson } from "./json.ts";
import { OPERATION_HEADER, operationOf } from "./kv-operation.ts";
import { untilLed } from "./leader.ts";
import { publishFailure } from "./publish.ts";
import { bucketDifferences, bucketStream, requireNone } from "./requirements.ts";

const KEY = /^[-/=A-Za-z0-9_]+(\.[-/=A-Za-z0-9_]+)*$/;
const FILTER = /^([-/=A-Za-z0-9_]+|\*)(\.([-/=A-Za-z0-9_]+|\*))*(\.>)?$|^>$/;
const OPERATION_TIMEOUT = 5_000;
// Long enough for every watcher to see a deletion after an interruption; short enough that deletions do not pile up.
const DELETION_KEPT = "10m";

export interface BucketPorts {
    readonly jetStream: JetStreamClient;
    readonly status: ConnectionStatus;
    readonly log: BusLog;
    readonly metrics: BusMetrics | undefined;
}

interface Revision<V> {
    readonly revision: number;
    /** `undefined`: the revision says that the key is gone. */
    readonly entry: Entry<V> | undefined;
}

export class KvBucket<S extends z.ZodType> implements Bucket<z.output<S>>, Stoppable {
    readonly name: string;
    readonly #ports: BucketPorts;
    readonly #contract: BucketContract<S>;
    readonly #stream: string;
    readonly #watches = new Set<Watch>();
    #manager: Promise<JetStreamManager> | undefined;
    /** Milliseconds after which keys expire without a note; `undefined`: they have their own, which leaves one. */
    #timeToLive: number | undefined;

    constructor(ports: BucketPorts, contract: BucketContract<S>) {
        this.name = contract.name;
        this.#ports = ports;
        this.#contract = contract;
        this.#stream = bucketStream(contract);
    }

    /** Rejects with `BUS_NOT_APPLIED` naming what is missing or differs. */
    async verify(): Promise<void> {
        const what = `bucket ${this.name}`;
        await this.#ports.status.connected(OPERATION_TIMEOUT, what);
        try {
            const { config } = await this.#led((manager) => manager.streams.info(this.#stream), true);
            requireNone(bucketDifferences(this.#contract, config), what);
            if (this.#contract.ttl !== undefined) this.#timeToLive = millis(config.max_age);
        } catch (error) {
            throw busFailure(error, what);
        }
    }

    async get(key: string): Promise<Entry<z.output<S>> | undefined> {
        return (await this.#last(key))?.entry;
    }

    async create(key: string, value: z.output<S>, options: { ttlSeconds?: number } = {}): Promise<number | undefined> {
        const first = await this.#write(key, value, { ...options, revision: 0 });
        if (first !== undefined) return first;
        // A deletion or an expiry leaves a last message, which counts as a revision.
        const last = await this.#last(key);
        if (last?.entry !== undefined) return undefined;
        return this.#write(key, value, { ...options, revision: last?.revision ?? 0 });
    }

    async update(
        key: string,
        value: z.output<S>,
        revision: number,
        options: { ttlSeconds?: number } = {},
    ): Promise<number | undefined> {
        if (revision < 1) throw new InvariantError(`revision ${revision} of ${this.name}/${key}`);
        return this.#write(key, value, { ...options, revision });
    }

    async put(key: string, value: z.output<S>, options: { ttlSeconds?: number } = {}): Promise<number> {
        const revision = await this.#write(key, value, options);
        if (revision === undefined) throw new InvariantError(`unconditional write to ${this.name}/${key} was refused`);
        return revision;
    }

    async delete(key: string, revision?: number): Promise<boolean> {
        const marker = headers();
        marker.set(OPERATION_HEADER, "DEL");
        const options = { headers: marker, ttl: DELETION_KEPT };
        return (await this.#publish(key, "", revision, options)) !== undefined;
    }

    async keys(filter = ">"): Promise<string[]> {
        const keys: string[] = [];
        await this.#list(filter, true, (key) => keys.push(key));
        return keys;
    }

    async entries(filter = ">"): Promise<Entry<z.output<S>>[]> {
        const entries: Entry<z.output<S>>[] = [];
        await this.#list(filter, false, (key, revision, payload) => {
            const value = this.#decodeOrSkip(key, payload);
            if (value !== undefined) entries.push({ key, value, revision });
        });
        return entries;
    }

    async watch(
        onChange: (change: Change<z.output<S>>) => void,
        { filter = ">", onStatus = () => undefined }: WatchOptions = {},
    ): Promise<Watch> {
        await this.#ports.status.connected(OPERATION_TIMEOUT, `watching ${this.name}`);
        const watch = new BucketWatch<z.output<S>>({
            jetStream: this.#ports.jetStream,
            status: this.#ports.status,
            log: this.#ports.log,
            bucket: this.name,
            stream: this.#stream,
            filter: this.#checkedFilter(filter),
            decode: (key, payload) => this.#decodeOrSkip(key, payload),
            timeToLive: this.#timeToLive,
            isStored: async (key) => (await this.#last(key)) !== undefined,
            onChange,
            onStatus,
            onStop: () => this.#watches.delete(watch),
        });
        this.#watches.add(watch);
        await watch.start();
        return watch;
    }

    async stop(): Promise<void> {
        for (const watch of this.#watches) watch.stop();
    }

    #subject(key: string): string {
        if (!KEY.test(key)) throw new InvariantError(`"${key}" is no key of bucket ${this.name}`);
        return `$KV.${this.name}.${key}`;
    }

    #checkedFilter(filter: string): string {
        if (!FILTER.test(filter)) throw new InvariantError(`"${filter}" is no key filter of bucket ${this.name}`);
        return `$KV.${this.name}.${filter}`;
    }

    /** Asks the stream's leader, so that the answer is not older than what this process has seen. */
    async #last(key: string): Promise<Revision<z.output<S>> | undefined> {
        const [what, subject] = [`reading ${this.name}/${key}`, this.#subject(key)];
        await this.#ports.status.connected(OPERATION_TIMEOUT, what);
        let stored;
        try {
            const query = { last_by_subj: subject };
            stored = await this.#led((manager) => manager.streams.getMessage(this.#stream, query), true);
        } catch (error) {
            throw busFailure(error, what);
        }
        if (stored === null) return undefined;
        if (operationOf(stored.header) !== "PUT") return { revision: stored.seq, entry: undefined };
        const value = decodeJson(this.#contract.value, stored.data, `${this.name}/${key}`);
        return { revision: stored.seq, entry: { key, value, revision: stored.seq } };
    }

    #write(
        key: string,
        value: z.output<S>,
        { revision, ttlSeconds }: { revision?: number; ttlSeconds?: number },
    ): Promise<number | undefined> {
        const payload = encodeJson(this.#contract.value, value as z.input<S>, `${this.name}/${key}`); // no transforms
        const ttl = ttlSeconds === undefined ? {} : { ttl: `${Math.max(1, Math.ceil(ttlSeconds))}s` };
        return this.#publish(key, payload, revision, ttl);
    }

    /** The new revision; `undefined` when the key is not at `revision`. */
    async #publish(
        key: string,
        payload: string,
        revision: number | undefined,
        { ttl, headers }: { readonly ttl?: string; readonly headers?: MsgHdrs },
    ): Promise<number | undefined> {
        const [what, subject] = [`writing ${this.name}/${key}`, this.#subject(key)];
        await this.#ports.status.connected(OPERATION_TIMEOUT, what);
        const options: Partial<JetStreamPublishOptions> = { timeout: OPERATION_TIMEOUT };
        if (ttl !== undefined) options.ttl = ttl;
        if (headers !== undefined) options.headers = headers;
        if (revision !== undefined) options.expect = { lastSubjectSequence: revision };
        try {
            return (await this.#led(() => this.#ports.jetStream.publish(subject, payload, options))).seq;
        } catch (error) {
            if (isWrongRevision(error)) return undefined;
            throw publishFailure(error, what);
        }
    }

    async #list(
        filter: string,
        headersOnly: boolean,
        onKey: (key: string, revision: number, payload: Uint8Array) => void,
    ): Promise<void> {
        const what = `listing ${this.name}`;
        await this.#ports.status.connected(OPERATION_TIMEOUT, what);
        try {
            const options = {
                filter_subjects: this.#checkedFilter(filter),
                deliver_policy: DeliverPolicy.LastPerSubject,
                headers_only: headersOnly,
                inactive_threshold: OPERATION_TIMEOUT,
            };
            const { consumers } = this.#ports.jetStream;
            const consumer = await this.#led(() => consumers.get(this.#stream, { ...options }), true);
            let { num_pending: left } = await consumer.info(true);
            while (left > 0) {
                const messages = await consumer.fetch({
                    max_messages: Math.min(left, 500),
                    expires: OPERATION_TIMEOUT,
                });
                let received = 0;
                for await (const message of messages) {
                    received += 1;
                    left = message.info.pending;
                    const key = message.subject.slice(`$KV.${this.name}.`.length);
                    if (operationOf(message.headers) === "PUT") onKey(key, message.seq, message.data);
                }
                if (received === 0) throw new DependencyError("BUS_TIMEOUT", `${what}: ${left} keys did not arrive`);
            }
            await consumer.delete();
        } catch (error) {
            throw busFailure(error, what);
        }
    }

    /** `undefined` for a value that breaks its contract: one bad record must not stop the readers of the others. */
    #decodeOrSkip(key: string, payload: Uint8Array): z.output<S> | undefined {
        try {
            return decodeJson(this.#contract.value, payload, `${this.name}/${key}`);
        } catch (error) {
            this.#ports.metrics?.badMessage(this.name);
            this.#ports.log.error({ bucket: this.name, key, reason: messageOf(error) }, "a stored value is skipped");
            return undefined;
        }
    }

    async #led<T>(operation: (manager: JetStreamManager) => Promise<T>, repeatable = false): Promise<T> {
        const manager = await this.#jetStreamManager();
        return untilLed({ manager, name: this.#stream }, () => operation(manager), repeatable);
    }

    #jetStreamManager(): Promise<JetStreamManager> {
        // The check would ask for account information, which services may not have.
        this.#manager ??= this.#ports.jetStream.jetstreamManager(false);
        return this.#manager;
    }
}

function isWrongRevision(error: unknown): boolean {
    if (!(error instanceof JetStreamApiError)) return false;
    return (
        error.code === JetStreamApiCodes.StreamWrongLastSequence ||
        error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown
    );
}
