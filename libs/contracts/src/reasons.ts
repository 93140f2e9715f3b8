// Closed lists of reasons.  docs/events.md explains each; a test compares the lists in both directions.
import { z } from "zod";

/** Why a session ended. */
export const EndReason = z.enum([
    "client-disconnect",
    "client-abort",
    "client-terminate",
    "client-gone",
    "hello-timeout",
    "idle-timeout",
    "session-timeout",
    "admin-disconnect",
    "replaced",
    "worker-drain",
    "worker-stop",
    "worker-lost",
    "binding-failed",
    "negotiation-timeout",
    "admission-unanswered",
    "protocol-error",
    "network-failed",
    "fenced",
    "internal-error",
]);
export type EndReason = z.infer<typeof EndReason>;

/** Why an attempt was refused by the auth broker, or never got an answer. */
export const AuthFailureReason = z.enum([
    "bad-credentials",
    "unknown-user",
    "account-disabled",
    "account-locked",
    "password-expired",
    "method-not-allowed",
    "no-common-method",
    "no-session-keys",
    "throttled",
    "banned",
    "backend-unavailable",
    "broker-unavailable",
    "conversation-lost",
    "timeout",
    "malformed",
]);
export type AuthFailureReason = z.infer<typeof AuthFailureReason>;

/** Why the crypto binding of a session was not accepted: the causes of invalid-MAC reports told apart. */
export const BindingFailureReason = z.enum([
    "nonce",
    "certificate-hash",
    "hash-algorithm",
    "compound-mac",
    "key-missing",
    "attribute",
    "not-received",
]);
export type BindingFailureReason = z.infer<typeof BindingFailureReason>;

/** Why the registry did not admit a session. */
export const RefusalReason = z.enum([
    "user-limit",
    "pool-exhausted",
    "pool-unknown",
    "banned",
    "worker-not-admitting",
    "session-ended",
    "registry-unavailable",
]);
export type RefusalReason = z.infer<typeof RefusalReason>;

/** Why the ingress closed a connection without giving it to a worker. */
export const RejectReason = z.enum([
    "banned",
    "source-limit",
    "source-rate",
    "total-limit",
    "no-worker",
    "proxy-header-missing",
    "proxy-header-invalid",
]);
export type RejectReason = z.infer<typeof RejectReason>;

/** How a proxied connection ended. */
export const ConnectionEndReason = z.enum([
    "client-closed",
    "worker-closed",
    "client-reset",
    "worker-reset",
    "idle-timeout",
    "handshake-timeout",
    "worker-lost",
    "ingress-stop",
]);
export type ConnectionEndReason = z.infer<typeof ConnectionEndReason>;
