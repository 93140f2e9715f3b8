// Authentication is a conversation: `auth.start` opens it on whichever broker answers, `auth.continue` goes on with that one.
import { z } from "zod";
import { Base64, ClientEndpoint, InstanceId, Principal, Sealed, SessionId } from "../primitives.ts";
import { AuthFailureReason } from "../reasons.ts";
import { defineRequest } from "./request.ts";

/** An EAP packet as it is on the link: nobody reads it but the peer of the method.  No longer than PPP can carry. */
const EapPacket = Base64.max(5_600);

/** What the client sent.  The password is sealed to the brokers' public key with context `pap <session> <attempt>`. */
export const Credentials = z.discriminatedUnion("method", [
    z.strictObject({ method: z.literal("pap"), identity: z.string().max(256), password: Sealed }),
    z.strictObject({
        method: z.literal("chap"),
        identity: z.string().max(256),
        /** The CHAP identifier of the challenge. */
        ident: z.int().min(0).max(255),
        /** 16 bytes, the challenge that we sent. */
        challenge: Base64,
        /** 16 bytes, RFC 1994 §4.1. */
        response: Base64,
    }),
    z.strictObject({
        method: z.literal("mschapv2"),
        identity: z.string().max(256),
        /** The CHAP identifier of the challenge. */
        ident: z.int().min(0).max(255),
        /** 16 bytes, the authenticator challenge that we sent. */
        challenge: Base64,
        /** 49 bytes: peer challenge, reserved, NT-Response, flags (RFC 2759 §4). */
        response: Base64,
    }),
    z.strictObject({
        method: z.literal("eap"),
        /** The outer identity, which need not be the user's: nothing may follow from it. */
        identity: z.string().max(256),
        /** One EAP Response, whole (RFC 3748 §4): each is an attempt of its own. */
        packet: EapPacket,
    }),
]);
export type Credentials = z.infer<typeof Credentials>;

/** What the session may do; sent with an accept, kept in the session record. */
export const Policy = z.strictObject({
    pool: z.string().default("default"),
    /** Sessions of this principal at once; the oldest goes where `onLimit` is `replace`. */
    maxSessions: z.int().min(1).optional(),
    onLimit: z.enum(["deny", "replace"]).optional(),
    framedAddress: z.ipv4().optional(),
    dns: z.array(z.ipv4()).max(2).optional(),
    /** What lies behind the tunnel, told to clients that ask by DHCPINFORM; absent: everything. */
    routes: z.array(z.string().max(18)).max(64).optional(),
    /** The suffix of names, likewise. */
    searchSuffix: z
        .string()
        .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/)
        .optional(),
    /** Seconds. */
    sessionTimeout: z.int().positive().optional(),
    /** Seconds without inner traffic. */
    idleTimeout: z.int().positive().optional(),
});
export type Policy = z.infer<typeof Policy>;

/** What somebody says of a user: what is absent others decide. */
export const StatedPolicy = Policy.extend({ pool: z.string().optional() });
export type StatedPolicy = z.infer<typeof StatedPolicy>;

/** RFC 2759 §6 failure fields, for clients of MS-CHAPv2. */
export const MschapError = z.strictObject({
    error: z.int(),
    retry: z.boolean(),
    challenge: Base64.optional(),
    message: z.string().max(200),
});
export type MschapError = z.infer<typeof MschapError>;

export const AuthResult = z.discriminatedUnion("state", [
    z.strictObject({
        state: z.literal("accept"),
        principal: Principal,
        groups: z.array(z.string()),
        policy: Policy,
        backend: z.string(),
        /** `S=…` of RFC 2759 §5; only for MS-CHAPv2. */
        authenticatorResponse: z.string().optional(),
        /** 32 bytes sealed to `replyKey` with context `hlak <session> <attempt>`; absent where the method has no keys (PAP, CHAP). */
        hlak: Sealed.optional(),
    }),
    z.strictObject({
        state: z.literal("reject"),
        reason: AuthFailureReason,
        mschapError: MschapError.optional(),
        /** With EAP: a last Request that tells the client why; EAP-Failure follows whatever it answers. */
        eapPacket: EapPacket.optional(),
        message: z.string().max(200),
    }),
    /** The client must answer before anything is decided. */
    z.discriminatedUnion("kind", [
        /** A new challenge (MS-CHAPv2 retry). */
        z.strictObject({ state: z.literal("challenge"), kind: z.literal("mschap"), mschapError: MschapError }),
        z.strictObject({
            state: z.literal("challenge"),
            kind: z.literal("eap"),
            /** An EAP Request. */
            packet: EapPacket,
            /** Seconds for which its answer may take before it is sent again, where the authentication server says so. */
            timeout: z.int().min(1).max(600).optional(),
        }),
    ]),
    /** Ask again with `auth.continue`: `poll`. */
    z.strictObject({ state: z.literal("pending") }),
]);
export type AuthResult = z.infer<typeof AuthResult>;

const Conversation = z.string().min(1).max(64);

export const AuthAnswer = z.strictObject({
    conversation: Conversation,
    /** The replica that holds the conversation: the last token of the `auth.continue` subject. */
    replica: InstanceId,
    result: AuthResult,
});
export type AuthAnswer = z.infer<typeof AuthAnswer>;

/** Answers within 1 s; the same (session, attempt) again gets the same conversation, never a second attempt. */
export const authStart = defineRequest({
    question: z.strictObject({
        session: SessionId,
        /** Counts what the client sent in this session to prove who it is, from 1: credentials, and each EAP Response. */
        attempt: z.int().min(1),
        worker: InstanceId,
        client: ClientEndpoint,
        /** The name in the TLS ClientHello, if any. */
        serverName: z.string().optional(),
        credentials: Credentials,
        /** X25519 public key (raw, 32 bytes) made by the worker for this attempt. */
        replyKey: Base64,
    }),
    answer: AuthAnswer,
    timeout: 2_000,
});
export type AuthStartQuestion = z.infer<typeof authStart.question>;

/** `poll` answers at a result or after `wait`; `respond` brings the client's answer to a challenge. */
export const authContinue = defineRequest({
    question: z.discriminatedUnion("kind", [
        z.strictObject({
            kind: z.literal("poll"),
            conversation: Conversation,
            session: SessionId,
            wait: z.int().min(0).max(20_000),
        }),
        z.strictObject({
            kind: z.literal("respond"),
            conversation: Conversation,
            session: SessionId,
            attempt: z.int().min(1),
            credentials: Credentials,
            replyKey: Base64,
        }),
    ]),
    answer: z.union([AuthAnswer, z.strictObject({ unknown: z.literal(true) })]),
    timeout: 22_000,
});
export type AuthContinueQuestion = z.infer<typeof authContinue.question>;
