// How a call of [MS-SSTP] 3.3 can end: a closed list, for events, counters and logs.
import type { BindingFailure } from "./crypto-binding.ts";

/** Why a call ended.  `status` is one of `STATUS`; `detail` is for the log. */
export type CallEnd =
    /** The client sent Call Disconnect: the orderly end. */
    | { readonly reason: "client-disconnect" }
    /** The client sent Call Abort. */
    | { readonly reason: "client-abort"; readonly status: number | undefined }
    | { readonly reason: "binding-failed"; readonly failure: BindingFailure }
    /** No acceptable Call Connect Request, or no Call Connected, in time. */
    | { readonly reason: "negotiation-timeout" }
    /** Nothing was received for twice the hello interval. */
    | { readonly reason: "hello-timeout" }
    /** Call Connect Requests were unacceptable once too often. */
    | { readonly reason: "connect-retries-exceeded" }
    | { readonly reason: "protocol-error"; readonly status: number | undefined; readonly detail: string }
    /** `disconnect()` was called. */
    | { readonly reason: "local-disconnect" }
    /** `abort()` was called. */
    | { readonly reason: "local-abort"; readonly status: number }
    /** The connection went away without a farewell. */
    | { readonly reason: "stream-closed" };

export type CallEndReason = CallEnd["reason"];

/** Every value of `CallEnd["reason"]`. */
export const CALL_END_REASONS = [
    "client-disconnect",
    "client-abort",
    "binding-failed",
    "negotiation-timeout",
    "hello-timeout",
    "connect-retries-exceeded",
    "protocol-error",
    "local-disconnect",
    "local-abort",
    "stream-closed",
] as const satisfies readonly CallEndReason[];
