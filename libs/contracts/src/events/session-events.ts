// The life of a session.
import { z } from "zod";
import {
    AuthMethod,
    ClientEndpoint,
    ConnectionId,
    Counters,
    Epoch,
    InstanceId,
    IpAddress,
    Ipv6Prefix,
    PathFigures,
    Principal,
    SessionId,
    Timestamp,
} from "../primitives.ts";
import { BindingFailureReason, EndReason, RefusalReason } from "../reasons.ts";
import { defineEvent } from "./event.ts";

const identity = { session: SessionId, sessionEpoch: Epoch, worker: InstanceId, principal: Principal };

export const sessionStarted = defineEvent({
    kind: "session",
    name: "started",
    summary: "The data gate is open and IPCP or IPV6CP is open: the client can send and receive IP packets.",
    durable: true,
    data: z.strictObject({
        ...identity,
        client: ClientEndpoint,
        address: z.ipv4(),
        ipv6Prefix: Ipv6Prefix.optional(),
        method: AuthMethod,
        groups: z.array(z.string()),
        tls: z.strictObject({
            version: z.string(),
            cipher: z.string(),
            resumed: z.boolean().optional(),
            serverName: z.string().optional(),
        }),
        bindingHash: z.enum(["sha1", "sha256"]),
        /** What the client said of itself in LCP Identification packets and the correlation id. */
        clientInformation: z.array(z.string().max(200)).max(8),
        correlationId: z.string().max(64).optional(),
        /** Milliseconds from TCP accept to each step. */
        setupMilliseconds: z.record(z.string(), z.number().nonnegative()),
    }),
});

export const sessionUpdated = defineEvent({
    kind: "session",
    name: "updated",
    summary: "Counters of a live session, sampled; not durable, the totals are in `session.ended`.",
    durable: false,
    data: z.strictObject({ ...identity, address: z.ipv4(), counters: Counters }),
});

export const sessionEnded = defineEvent({
    kind: "session",
    name: "ended",
    summary: "The session is over. Exactly one per session.",
    durable: true,
    data: z.strictObject({
        ...identity,
        /** `0.0.0.0`: the worker never learnt it, because the registry's answer was lost. */
        address: z.ipv4(),
        client: ClientEndpoint,
        reason: EndReason,
        startedAt: Timestamp,
        endedAt: Timestamp,
        counters: Counters,
        /** False after `worker-lost`: the counters are the last reported ones. */
        exact: z.boolean(),
        /** Where the client is connected to the worker itself; else `connection.closed` has it. */
        path: PathFigures.optional(),
    }),
});

export const sessionLateCounters = defineEvent({
    kind: "session",
    name: "late-counters",
    summary: "What a worker knew of a session whose end had already been published by somebody else.",
    durable: true,
    data: sessionEnded.data,
});

export const sessionRefused = defineEvent({
    kind: "session",
    name: "refused",
    summary: "The user was verified and yet did not get in: the registry refused the session or did not answer.",
    durable: true,
    data: z.strictObject({
        session: SessionId,
        worker: InstanceId,
        principal: Principal,
        client: ClientEndpoint,
        reason: RefusalReason,
        detail: z.string().max(300),
    }),
});

export const bindingFailed = defineEvent({
    kind: "binding",
    name: "failed",
    summary: "The crypto binding in CALL_CONNECTED was not accepted, and why; the session was aborted.",
    durable: true,
    data: z.strictObject({
        session: SessionId,
        worker: InstanceId,
        identity: z.string().max(256),
        client: ClientEndpoint,
        reason: BindingFailureReason,
        /** What was found and what was expected, in words; no key material. */
        detail: z.string().max(300),
        offeredHashes: z.array(z.enum(["sha1", "sha256"])),
    }),
});

export const connectionOpened = defineEvent({
    kind: "connection",
    name: "opened",
    summary: "The ingress gave a connection to a worker; sampled.",
    durable: false,
    data: z.strictObject({ connection: ConnectionId, ingress: InstanceId, worker: InstanceId, client: ClientEndpoint }),
});

export const handshakeFailed = defineEvent({
    kind: "connection",
    name: "handshake-failed",
    summary: "TLS or HTTP did not complete on a worker: what the client offered and what was wrong.",
    durable: false,
    data: z.strictObject({
        connection: ConnectionId,
        worker: InstanceId,
        client: ClientEndpoint.extend({ address: IpAddress }),
        stage: z.enum(["proxy-header", "tls", "http"]),
        reason: z.string().max(300),
        clientHello: z
            .strictObject({
                versions: z.array(z.string()),
                serverName: z.string().optional(),
                ciphers: z.array(z.string()).max(64),
                alpn: z.array(z.string()).max(16),
            })
            .optional(),
    }),
});
