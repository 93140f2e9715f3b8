// Who may say what on the bus: the least that each service needs.  `postern bus apply` turns this into NATS permissions.
import type { EventKind } from "./events/event.ts";
import { CONSUMERS, type BucketName, type STREAMS } from "./state/buckets.ts";

export const SERVICES = ["ingress", "session-worker", "auth-broker", "session-registry", "audit-logger"] as const;
export type ServiceName = (typeof SERVICES)[number];
/** `admin` is the CLI and `bus apply`; `subscriber` is an outside reader of the event stream. */
export type Role = ServiceName | "admin" | "subscriber";

/** In the terms of the contracts; `{instance}` stands for the holder's own id. */
export interface Grant {
    readonly asks: readonly string[];
    readonly answers: readonly string[];
    readonly events: readonly EventKind[];
    readonly reads: readonly BucketName[];
    /** Whole bucket, or only the holder's own key. */
    readonly writes: readonly (BucketName | { readonly bucket: BucketName; readonly key: "{instance}" })[];
    /** Durable consumers of the event stream. */
    readonly consumes: readonly string[];
    /** Subjects of streams other than that of events. */
    readonly publishes: readonly string[];
    /** Streams that it follows with consumers of its own, which leave nothing behind. */
    readonly tails: readonly (keyof typeof STREAMS)[];
}

const nothing: Grant = {
    asks: [],
    answers: [],
    events: [],
    reads: [],
    writes: [],
    consumes: [],
    publishes: [],
    tails: [],
};

export const GRANTS: Readonly<Record<Exclude<Role, "admin">, Grant>> = {
    ingress: {
        ...nothing,
        answers: ["ingress.{instance}.*"],
        events: ["ingress", "connection"],
        reads: ["workers", "bans"],
    },
    "session-worker": {
        ...nothing,
        asks: [
            "auth.start",
            "auth.continue.*",
            "registry.admit",
            "registry.release",
            "registry.snapshot",
            "registry.resume",
        ],
        answers: ["worker.{instance}.*"],
        events: ["session", "binding", "worker", "connection", "cert", "auth"],
        // Reads nothing: whoever makes a consumer chooses where it delivers, and a worker knows what its own record says.
        writes: [{ bucket: "workers", key: "{instance}" }],
    },
    "auth-broker": {
        ...nothing,
        asks: ["registry.ban", "registry.query", "worker.*.disconnect"],
        answers: ["auth.start", "auth.continue.{instance}"],
        events: ["auth"],
        reads: ["accounts", "authState"],
        writes: ["authState"],
    },
    "session-registry": {
        ...nothing,
        asks: ["worker.*.describe", "worker.*.disconnect", "registry.release"],
        answers: ["registry.*"],
        events: ["session", "worker", "admin"],
        reads: ["workers", "sessions", "leases", "users", "fleet", "bans"],
        writes: ["sessions", "leases", "users", "fleet", "bans"],
    },
    "audit-logger": {
        ...nothing,
        consumes: [CONSUMERS.audit],
        events: ["admin"],
        publishes: ["checkpoint.{instance}"],
        tails: ["checkpoints"],
    },
    subscriber: { ...nothing, tails: ["events"] },
};
