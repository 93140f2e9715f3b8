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
    "radius-disconnect",
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
    "restricted-hours",
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

/** What each reason means, for docs/events.md. */
export const REASON_MEANINGS = {
    "session.ended": {
        "client-disconnect": "The client closed the connection in order.",
        "client-abort": "The client aborted the SSTP call.",
        "client-terminate": "The client terminated the PPP link.",
        "client-gone": "The client's TCP connection ended without a word.",
        "hello-timeout": "The client did not answer echo requests.",
        "idle-timeout": "No inner traffic for as long as the policy allows.",
        "session-timeout": "The session lasted as long as the policy allows.",
        "admin-disconnect": "An administrator ended it.",
        "radius-disconnect": "A RADIUS client of dynamic authorization ended it (Disconnect-Request).",
        replaced: "A newer session of the same user took its place.",
        "worker-drain": "Its worker was drained.",
        "worker-stop": "Its worker was stopped.",
        "worker-lost": "Its worker died; the counters are the last reported ones.",
        "binding-failed": "The crypto binding was not accepted.",
        "admission-unanswered": "No session-registry answered the admission.",
        "negotiation-timeout": "It was admitted and did not open in time.",
        "protocol-error": "The client broke the protocol.",
        "network-failed": "The address or route of the session could not be set up.",
        fenced: "Another worker took the session over.",
        "internal-error": "A defect of postern; the worker's log has it.",
    } satisfies Record<EndReason, string>,
    "auth.failed": {
        "bad-credentials": "The password or response was wrong.",
        "unknown-user": "There is no such user.",
        "account-disabled": "The account is disabled.",
        "account-locked": "The account is locked out after failures.",
        "password-expired": "The password has expired.",
        "restricted-hours": "The user may not be connected at this time.",
        "method-not-allowed": "The method is not allowed for this user.",
        "no-common-method": "Client and server have no method in common.",
        "no-session-keys": "The backend gave no keys for the crypto binding.",
        throttled: "Too many attempts at once.",
        banned: "The client's address is banned.",
        "backend-unavailable": "The backend did not answer.",
        "broker-unavailable": "No auth-broker answered.",
        "conversation-lost": "The broker that held the conversation is gone.",
        timeout: "The client or the backend took too long.",
        malformed: "The client's message was malformed.",
    } satisfies Record<AuthFailureReason, string>,
    "binding.failed": {
        nonce: "The nonce is not the one that the server sent.",
        "certificate-hash": "The client saw another certificate: somebody is between.",
        "hash-algorithm": "The client chose a hash that was not offered.",
        "compound-mac": "The MAC is wrong: another key, or a changed message.",
        "key-missing": "There is no key to check it with.",
        attribute: "The attribute is malformed.",
        "not-received": "The client did not send it in time.",
    } satisfies Record<BindingFailureReason, string>,
    "ingress.rejected": {
        banned: "The source is banned.",
        "source-limit": "The source has as many connections as it may.",
        "source-rate": "The source connects too often.",
        "total-limit": "The ingress has as many connections as it may.",
        "no-worker": "No worker takes connections.",
        "proxy-header-missing": "A trusted balancer sent no PROXY header in time.",
        "proxy-header-invalid": "A trusted balancer sent a malformed PROXY header.",
    } satisfies Record<RejectReason, string>,
    "connection.closed": {
        "client-closed": "The client closed it.",
        "worker-closed": "The worker closed it.",
        "client-reset": "The client's connection was reset.",
        "worker-reset": "The worker's connection was reset.",
        "idle-timeout": "Nothing moved for too long.",
        "handshake-timeout": "The client sent nothing in time.",
        "worker-lost": "The worker is gone.",
        "ingress-stop": "The ingress was stopped.",
    } satisfies Record<ConnectionEndReason, string>,
};
