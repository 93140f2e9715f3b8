// What a PPP link (RFC 1661 §3) needs from whoever runs it.  All calls are synchronous.  `send`, the timers and `random` are called while
// the link works and must not call it back; the others report facts after it has settled and may call any method.
import type { AuthenticationAttempt } from "./authentication-attempt.ts";
import type { Closure } from "./closure.ts";
import type { ChapDigests, Digests } from "./digests.ts";
import type { Family } from "./network-configuration.ts";

/** The link's timers; each name runs at most once at a time. */
export type TimerName = "lcp" | "ipcp" | "ipv6cp" | "authentication" | "echo";

export interface LinkPorts {
    /** One whole PPP frame, `ff 03` first.  The array is the receiver's to keep. */
    readonly send: (frame: Uint8Array) => void;
    /** Calls `onTimer(name)` once, `milliseconds` from now; restarts the timer of that name if it runs. */
    readonly startTimer: (name: TimerName, milliseconds: number) => void;
    readonly stopTimer: (name: TimerName) => void;
    /** `size` bytes from a cryptographic source. */
    readonly random: (size: number) => Uint8Array;
    /** IP packets of this family may pass. */
    readonly opened: (family: Family) => void;
    /** IP packets of this family may not pass any more; it may open again. */
    readonly lost: (family: Family) => void;
    /** The link has ended; nothing is called after this. */
    readonly closed: (closure: Closure) => void;
}

export interface ServerLinkPorts extends LinkPorts {
    /** Decide about these credentials and call `authenticated` once; at most one attempt is open at a time. */
    readonly authenticate: (attempt: AuthenticationAttempt) => void;
}

export interface ClientLinkPorts extends LinkPorts {
    readonly digests: Digests & ChapDigests;
    /** The server accepted us and, with MS-CHAPv2, proved itself.  `hlak`: 32 bytes for SSTP's crypto binding. */
    readonly authenticated: (hlak: Uint8Array) => void;
}
