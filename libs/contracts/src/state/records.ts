// What the KV buckets hold.  Truth is decided by compare-and-set on these records, never by a read.
import { z } from "zod";
import { Policy } from "../requests/auth.ts";
import {
    AuthMethod,
    Base64,
    ClientEndpoint,
    Counters,
    Epoch,
    InstanceId,
    IpAddress,
    Ipv6Prefix,
    Principal,
    SessionId,
    Timestamp,
} from "../primitives.ts";
import { EndReason, RefusalReason } from "../reasons.ts";

export const WorkerState = z.enum(["ready", "full", "draining", "stopping"]);
export type WorkerState = z.infer<typeof WorkerState>;

/** `workers/<id>`: renewed by the worker itself; gone = suspect. */
export const WorkerRecord = z.strictObject({
    worker: InstanceId,
    /** Wall-clock milliseconds at the worker's start: a restarted worker has none of the old one's sessions. */
    epoch: Epoch,
    state: WorkerState,
    host: z.string(),
    /** Where ingresses connect with a PROXY v2 header. */
    endpoint: z.strictObject({ host: z.string(), port: z.int().min(1).max(65_535) }),
    sessions: z.int().nonnegative(),
    capacity: z.int().positive(),
    version: z.string(),
});
export type WorkerRecord = z.infer<typeof WorkerRecord>;

/** What a session needs to go on elsewhere and nothing that changes per packet. No key material. */
export const SessionSnapshot = z.strictObject({
    version: z.literal(1),
    /** SHA-256 of the certificate that the client bound to, hex. */
    certificateHash: z.string(),
    bound: z.boolean(),
    identity: z.string(),
    correlationId: z.string().optional(),
    /** State of the SSTP machine and of the PPP link, as those packages define it. */
    sstp: z.json(),
    ppp: z.json(),
    /** Wall-clock deadlines by timer name. */
    deadlines: z.record(z.string(), Timestamp),
});
export type SessionSnapshot = z.infer<typeof SessionSnapshot>;

/** `sessions/<id>`: one owner (worker, epoch); taking over is a compare-and-set that raises the epoch. */
export const SessionRecord = z.strictObject({
    session: SessionId,
    epoch: Epoch,
    state: z.enum(["admitted", "ended"]),
    worker: InstanceId,
    workerEpoch: Epoch,
    principal: Principal,
    groups: z.array(z.string()),
    method: AuthMethod,
    client: ClientEndpoint,
    address: z.ipv4(),
    ipv6Prefix: Ipv6Prefix.optional(),
    policy: Policy,
    admittedAt: Timestamp,
    /** Last reported; exact only in `ended`. */
    counters: Counters.optional(),
    snapshot: SessionSnapshot.optional(),
    ended: z
        .strictObject({ at: Timestamp, reason: EndReason, exact: z.boolean(), by: InstanceId, counters: Counters })
        .optional(),
});
export type SessionRecord = z.infer<typeof SessionRecord>;

/**
 * `sessions/<id>` of a session that will never be: its admission was refused or given up half-way.  The key is taken, so
 * whoever still works on that admission finds out when it creates the record.
 */
export const VoidSession = z.strictObject({
    session: SessionId,
    state: z.literal("void"),
    at: Timestamp,
    by: InstanceId,
    /** The session had been, under records that are gone: `at` and `by` are of the claim to its end. */
    ended: z.literal(true).optional(),
    /** What the asker is told when it asks again. */
    refusal: z.strictObject({ reason: RefusalReason, message: z.string().max(300) }),
});
export type VoidSession = z.infer<typeof VoidSession>;

/** What a key of the bucket `sessions` holds. */
export const SessionEntry = z.discriminatedUnion("state", [SessionRecord, VoidSession]);
export type SessionEntry = z.infer<typeof SessionEntry>;

/** `leases/<address>`: who has an address, or for whom it is kept until `heldUntil`. */
export const LeaseRecord = z.strictObject({
    address: z.ipv4(),
    pool: z.string(),
    principal: Principal,
    /** Absent while the address is only held for its last user. */
    session: SessionId.optional(),
    heldUntil: Timestamp.optional(),
});
export type LeaseRecord = z.infer<typeof LeaseRecord>;

/** `users/<principal>`: the user's live sessions and the address of the last one. */
export const UserRecord = z.strictObject({
    principal: Principal,
    sessions: z.array(
        z.strictObject({
            session: SessionId,
            worker: InstanceId,
            workerEpoch: Epoch,
            address: z.ipv4().optional(),
            admittedAt: Timestamp,
        }),
    ),
    sticky: z.strictObject({ pool: z.string(), address: z.ipv4(), until: Timestamp }).optional(),
});
export type UserRecord = z.infer<typeof UserRecord>;

/**
 * `fleet/<worker>`: what was last announced of a worker.  The compare-and-set on it decides which registry publishes a
 * transition; what is still to be published stays in `announce`, so that another registry finishes what a dead one began.
 */
export const FleetRecord = z.strictObject({
    worker: InstanceId,
    epoch: Epoch,
    state: z.enum(["joined", "full", "draining", "suspect", "lost"]),
    /** Revision in `workers` of the change that this state follows from: older evidence decides nothing. */
    evidence: z.int().nonnegative(),
    /** Sessions of the worker at the transition. */
    sessions: z.int().nonnegative(),
    announce: z.array(z.enum(["joined", "full", "draining", "suspect", "lost"])),
    by: InstanceId,
    at: Timestamp,
});
export type FleetRecord = z.infer<typeof FleetRecord>;

/** `bans/<source>`: seen by every ingress, dropped at accept.  An IPv6 source is the first address of its /64. */
export const BanRecord = z.strictObject({
    source: IpAddress,
    reason: z.string().max(200),
    by: z.string(),
    since: Timestamp,
    until: Timestamp,
});
export type BanRecord = z.infer<typeof BanRecord>;

/** `accounts/<user>`: a local user, sealed with the brokers' file key. */
export const AccountRecord = z.strictObject({ user: z.string(), nonce: Base64, ciphertext: Base64 });
export type AccountRecord = z.infer<typeof AccountRecord>;

/** `auth-state/lock.<user>.<source>`: failures that count towards a lock-out. */
export const LockRecord = z.strictObject({
    kind: z.literal("lock"),
    user: z.string(),
    source: IpAddress,
    failures: z.int().positive(),
    lastFailureAt: Timestamp,
    lockedUntil: Timestamp.optional(),
});
export type LockRecord = z.infer<typeof LockRecord>;

/** `auth-state/attempt.<session>.<attempt>`: which replica holds the conversation, so that a repeated question finds it. */
export const AttemptRecord = z.strictObject({
    kind: z.literal("attempt"),
    conversation: z.string(),
    replica: InstanceId,
});
export type AttemptRecord = z.infer<typeof AttemptRecord>;

/**
 * `auth-state/dynamic.<hash>`: a request of RADIUS dynamic authorization, taken by one broker, so that neither a repetition nor a
 * replay has an effect.  Without `answer` that broker is still at it.
 */
export const DynamicRequestRecord = z.strictObject({
    kind: z.literal("dynamic"),
    replica: InstanceId,
    /** What was answered: an acknowledgement, or a refusal with its Error-Cause (RFC 5176 §3.5). */
    answer: z
        .discriminatedUnion("outcome", [
            z.strictObject({ outcome: z.literal("ack") }),
            z.strictObject({ outcome: z.literal("nak"), errorCause: z.int().positive() }),
        ])
        .optional(),
});
export type DynamicRequestRecord = z.infer<typeof DynamicRequestRecord>;

/** What the brokers tell each other. */
export const AuthStateRecord = z.discriminatedUnion("kind", [LockRecord, AttemptRecord, DynamicRequestRecord]);
export type AuthStateRecord = z.infer<typeof AuthStateRecord>;
