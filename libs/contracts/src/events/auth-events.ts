// What the auth brokers decided.
import { z } from "zod";
import { AuthMethod, ClientEndpoint, InstanceId, IpAddress, Principal, SessionId, Timestamp } from "../primitives.ts";
import { AuthFailureReason } from "../reasons.ts";
import { defineEvent } from "./event.ts";

const attempt = {
    session: SessionId,
    worker: InstanceId,
    client: ClientEndpoint,
    /** The name that the client claimed. */
    identity: z.string().max(256),
    method: AuthMethod,
};

export const authSucceeded = defineEvent({
    kind: "auth",
    name: "succeeded",
    summary: "A backend verified the user.",
    durable: true,
    data: z.strictObject({
        ...attempt,
        principal: Principal,
        backend: z.string(),
        milliseconds: z.number().nonnegative(),
    }),
});

export const authFailed = defineEvent({
    kind: "auth",
    name: "failed",
    summary:
        "An attempt was refused. Floods of one (identity, source, reason) are summed up: `count` attempts since `firstAt`.",
    durable: true,
    data: z.strictObject({
        ...attempt,
        backend: z.string().optional(),
        reason: AuthFailureReason,
        detail: z.string().max(300),
        count: z.int().positive(),
        firstAt: Timestamp,
        milliseconds: z.number().nonnegative(),
    }),
});

export const authLocked = defineEvent({
    kind: "auth",
    name: "locked",
    summary: "Too many failures of one user from one source: further attempts from there are refused until `until`.",
    durable: true,
    data: z.strictObject({
        identity: z.string().max(256),
        source: IpAddress,
        failures: z.int().positive(),
        until: Timestamp,
    }),
});

export const authBackendSkipped = defineEvent({
    kind: "auth",
    name: "backend-skipped",
    summary:
        "A backend could not decide, and the chain has the next one asked instead. Repetitions are summed up: `count` attempts since `firstAt`.",
    durable: true,
    data: z.strictObject({
        backend: z.string(),
        next: z.string(),
        detail: z.string().max(300),
        count: z.int().positive(),
        firstAt: Timestamp,
    }),
});

export const authInterrupted = defineEvent({
    kind: "auth",
    name: "interrupted",
    summary: "A conversation was lost with its broker replica; the client was asked again or refused.",
    durable: true,
    data: z.strictObject({ ...attempt, replica: InstanceId, outcome: z.enum(["new-challenge", "failed"]) }),
});
