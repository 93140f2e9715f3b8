// What a client tells about its servers, for metrics and log lines.
import type { ServerState } from "./server-health.ts";

/** Why a datagram was not taken for a reply. */
export type IgnoredReason =
    /** It is not RADIUS. */
    | "malformed"
    /** No request of this identifier waits: late, twice, or somebody's guess. */
    | "unexpected"
    /** A wrong Response Authenticator, or no right Message-Authenticator. */
    | "not-authentic"
    /** Verified, but not a reply to such a request. */
    | "wrong-code";

/** `server` is `host:port`. */
export interface RadiusObserver {
    /** A request was sent for the first time; Status-Server is one, too. */
    readonly onRequest: (server: string) => void;
    /** The same request was sent again. */
    readonly onRetransmission: (server: string) => void;
    /** A reply verified, so many milliseconds after its request. */
    readonly onReply: (server: string, code: number, milliseconds: number) => void;
    readonly onIgnored: (server: string, reason: IgnoredReason, detail: string) => void;
    readonly onState: (server: string, state: ServerState, cause: string) => void;
}
