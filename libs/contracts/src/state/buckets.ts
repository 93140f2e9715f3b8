// The KV buckets and streams that `postern bus apply` creates and every service verifies.
import type { z } from "zod";
import {
    AccountRecord,
    AuthStateRecord,
    BanRecord,
    FleetRecord,
    LeaseRecord,
    SessionEntry,
    UserRecord,
    WorkerRecord,
} from "./records.ts";

export interface BucketContract<Value extends z.ZodType = z.ZodType> {
    readonly name: string;
    readonly value: Value;
    /** Seconds after which an untouched key expires, from configuration; `undefined`: never. */
    readonly ttl: "worker" | undefined;
    readonly summary: string;
}

const defineBucket = <Value extends z.ZodType>(bucket: BucketContract<Value>): BucketContract<Value> => bucket;

export const BUCKETS = {
    workers: defineBucket({
        name: "workers",
        value: WorkerRecord,
        ttl: "worker",
        summary: "One key a worker, renewed by it; expiry = suspect.",
    }),
    sessions: defineBucket({
        name: "sessions",
        value: SessionEntry,
        ttl: undefined,
        summary: "One key a session: owner, epoch, state, snapshot.",
    }),
    leases: defineBucket({
        name: "leases",
        value: LeaseRecord,
        ttl: undefined,
        summary: "One key an address in use or held.",
    }),
    users: defineBucket({
        name: "users",
        value: UserRecord,
        ttl: undefined,
        summary: "One key a principal: live sessions, sticky address.",
    }),
    fleet: defineBucket({
        name: "fleet",
        value: FleetRecord,
        ttl: undefined,
        summary: "One key a worker: its last announced transition.",
    }),
    bans: defineBucket({
        name: "bans",
        value: BanRecord,
        ttl: undefined,
        summary: "One key a banned source address; the key has its own TTL.",
    }),
    accounts: defineBucket({
        name: "accounts",
        value: AccountRecord,
        ttl: undefined,
        summary: "Local users, sealed with the brokers' file key.",
    }),
    authState: defineBucket({
        name: "auth-state",
        value: AuthStateRecord,
        ttl: undefined,
        summary:
            "Lock-outs, open attempts and RADIUS requests to change sessions, shared by the brokers; keys have their own TTL.",
    }),
} as const;

export type BucketName = keyof typeof BUCKETS;

/** The event stream, and the stream of audit checkpoints. */
export const STREAMS = { events: "EVENTS", checkpoints: "CHECKPOINTS" } as const;

/** Durable pull consumers on `EVENTS`. */
export const CONSUMERS = { audit: "audit-logger" } as const;
