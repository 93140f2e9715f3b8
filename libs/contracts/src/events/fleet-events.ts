// Workers, ingresses, and what administrators did.
import { z } from "zod";
import { ClientEndpoint, ConnectionId, Epoch, InstanceId, IpAddress, PathFigures, Timestamp } from "../primitives.ts";
import { ConnectionEndReason, RejectReason } from "../reasons.ts";
import { defineEvent } from "./event.ts";

const worker = { worker: InstanceId, workerEpoch: Epoch };

export const workerJoined = defineEvent({
    kind: "worker",
    name: "joined",
    summary: "A worker's record appeared: it may be given sessions.",
    durable: true,
    data: z.strictObject({ ...worker, endpoint: z.string(), capacity: z.int().positive() }),
});

export const workerSuspect = defineEvent({
    kind: "worker",
    name: "suspect",
    summary: "A worker's record expired: no new connections; its sessions live on until it is known to be lost.",
    durable: true,
    data: z.strictObject({ ...worker, sessions: z.int().nonnegative() }),
});

export const workerDraining = defineEvent({
    kind: "worker",
    name: "draining",
    summary: "A worker takes no new sessions.",
    durable: true,
    data: z.strictObject({ ...worker, sessions: z.int().nonnegative(), by: z.string() }),
});

export const workerFull = defineEvent({
    kind: "worker",
    name: "full",
    summary: "A worker reached its capacity.",
    durable: true,
    data: z.strictObject({ ...worker, sessions: z.int().nonnegative(), capacity: z.int().positive() }),
});

export const workerLost = defineEvent({
    kind: "worker",
    name: "lost",
    summary: "A worker is known to be gone: its sessions were ended as `worker-lost`.",
    durable: true,
    data: z.strictObject({ ...worker, sessions: z.int().nonnegative() }),
});

export const ingressRejected = defineEvent({
    kind: "ingress",
    name: "rejected",
    summary: "Connections refused before any worker saw them, summed up by source and reason.",
    durable: true,
    data: z.strictObject({
        ingress: InstanceId,
        source: IpAddress,
        reason: RejectReason,
        count: z.int().positive(),
        firstAt: Timestamp,
    }),
});

export const connectionClosed = defineEvent({
    kind: "connection",
    name: "closed",
    summary: "A proxied connection ended; sampled.",
    durable: false,
    data: z.strictObject({
        connection: ConnectionId,
        ingress: InstanceId,
        worker: InstanceId,
        client: ClientEndpoint,
        bytesIn: z.int().nonnegative(),
        bytesOut: z.int().nonnegative(),
        milliseconds: z.number().nonnegative(),
        reason: ConnectionEndReason,
        path: PathFigures.optional(),
    }),
});

export const certificateLoaded = defineEvent({
    kind: "cert",
    name: "loaded",
    summary: "A worker began to serve a certificate.",
    durable: true,
    data: z.strictObject({
        worker: InstanceId,
        names: z.array(z.string()),
        sha256: z.string(),
        algorithm: z.string(),
        notAfter: Timestamp,
    }),
});

export const adminAction = defineEvent({
    kind: "admin",
    name: "action",
    summary: "Somebody changed something: users, bans, disconnects, drains.",
    durable: true,
    data: z.strictObject({
        action: z.string(),
        target: z.string(),
        by: z.string(),
        detail: z.string().max(300).optional(),
    }),
});
