// Questions to the session registry.
import { z } from "zod";
import {
    AuthMethod,
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
import { BanRecord, SessionRecord, SessionSnapshot } from "../state/records.ts";
import { Policy } from "./auth.ts";
import { defineRequest } from "./request.ts";

export const SessionAddresses = z.strictObject({
    address: z.ipv4(),
    gateway: z.ipv4(),
    dns: z.array(z.ipv4()).max(2),
    nbns: z.array(z.ipv4()).max(2),
    /** Absent: the session has no IPv6. */
    ipv6: z.strictObject({ prefix: Ipv6Prefix, dns: z.array(z.ipv6()).max(3) }).optional(),
});
export type SessionAddresses = z.infer<typeof SessionAddresses>;

/** Limits, then the address.  Idempotent by session: asked again, it gives the same answer. */
export const registryAdmit = defineRequest({
    question: z.strictObject({
        session: SessionId,
        worker: InstanceId,
        workerEpoch: Epoch,
        principal: Principal,
        groups: z.array(z.string()),
        method: AuthMethod,
        policy: Policy,
        client: ClientEndpoint,
    }),
    answer: z.discriminatedUnion("state", [
        z.strictObject({ state: z.literal("admitted"), epoch: Epoch, addresses: SessionAddresses }),
        z.strictObject({ state: z.literal("refused"), reason: RefusalReason, message: z.string() }),
    ]),
    timeout: 5_000,
});
export type AdmitQuestion = z.infer<typeof registryAdmit.question>;
export type AdmitAnswer = z.infer<typeof registryAdmit.answer>;

/**
 * Ends a session: the one compare-and-set to `ended` decides whose fact is the terminal one.
 * `won`: publish `session.ended`.  `lost`: somebody else did; publish `session.late-counters`.  Idempotent: the winner asked
 * again is told `won` again.  `unknown`: there was never such a session.
 */
export const registryRelease = defineRequest({
    question: z.strictObject({
        session: SessionId,
        epoch: Epoch,
        by: InstanceId,
        reason: EndReason,
        exact: z.boolean(),
        at: Timestamp,
        counters: Counters,
        /** Absent when the asker does not know whether the session was admitted.  Older than the records themselves, it is believed. */
        admittedAt: Timestamp.optional(),
    }),
    answer: z.strictObject({ outcome: z.enum(["won", "lost", "unknown"]) }),
    timeout: 5_000,
});
export type ReleaseQuestion = z.infer<typeof registryRelease.question>;
export type ReleaseAnswer = z.infer<typeof registryRelease.answer>;

/** Stores a snapshot under the session's current (worker, epoch); `fenced` says that a higher epoch owns the session. */
export const registrySnapshot = defineRequest({
    question: z.strictObject({
        session: SessionId,
        worker: InstanceId,
        epoch: Epoch,
        snapshot: SessionSnapshot,
        counters: Counters,
    }),
    answer: z.strictObject({ outcome: z.enum(["stored", "fenced", "unknown"]) }),
    timeout: 5_000,
});
export type SnapshotQuestion = z.infer<typeof registrySnapshot.question>;

/** Takes a session over: raises the epoch and returns the record with its snapshot. */
export const registryResume = defineRequest({
    question: z.strictObject({ session: SessionId, worker: InstanceId, workerEpoch: Epoch, fromEpoch: Epoch }),
    answer: z.discriminatedUnion("state", [
        z.strictObject({ state: z.literal("resumed"), record: SessionRecord, addresses: SessionAddresses }),
        z.strictObject({ state: z.literal("refused"), reason: z.enum(["unknown", "ended", "fenced", "no-snapshot"]) }),
    ]),
    timeout: 5_000,
});
export type ResumeQuestion = z.infer<typeof registryResume.question>;

/** Sessions that match every given filter, newest first, a page at a time. */
export const registryQuery = defineRequest({
    question: z.strictObject({
        session: SessionId.optional(),
        principal: Principal.optional(),
        worker: InstanceId.optional(),
        address: z.ipv4().optional(),
        ipv6Prefix: Ipv6Prefix.optional(),
        client: IpAddress.optional(),
        includeEnded: z.boolean().optional(),
        after: SessionId.optional(),
        limit: z.int().min(1).max(500).default(200),
    }),
    answer: z.strictObject({ sessions: z.array(SessionRecord.omit({ snapshot: true })), more: z.boolean() }),
    timeout: 5_000,
});
export type QueryQuestion = z.infer<typeof registryQuery.question>;
export type QueryAnswer = z.infer<typeof registryQuery.answer>;

export const registryBan = defineRequest({
    question: z.discriminatedUnion("action", [
        z.strictObject({
            action: z.literal("add"),
            source: IpAddress,
            seconds: z.int().positive(),
            reason: z.string().max(200),
            by: z.string(),
        }),
        z.strictObject({ action: z.literal("lift"), source: IpAddress, by: z.string() }),
        z.strictObject({ action: z.literal("list") }),
    ]),
    answer: z.strictObject({ bans: z.array(BanRecord) }),
    timeout: 5_000,
});
export type BanQuestion = z.infer<typeof registryBan.question>;
