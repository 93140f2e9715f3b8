// How a connection of a client can end: a closed list.
import type { Closure } from "@postern/ppp";

export const CLIENT_END_REASONS = {
    "local-disconnect": "disconnect() was called.",
    "local-destroy": "destroy() was called.",
    "server-disconnect": "The server sent Call Disconnect.",
    "server-abort": "The server sent Call Abort.",
    "server-closed": "The server closed the connection without a farewell.",
    "stream-error": "The TCP or TLS connection broke.",
    "http-refused": "The server answered the HTTP request with another status than 200.",
    "ppp-closed": "PPP ended; its closure says why.",
    "protocol-error": "The server broke the protocol.",
    "negotiation-timeout": "The server did not answer the Call Connect Request, or PPP did not authenticate, in time.",
    "hello-timeout": "The server fell silent.",
    "dial-timeout": "The connection was not open in the time allowed.",
} as const satisfies Readonly<Record<string, string>>;

export type ClientEndReason = keyof typeof CLIENT_END_REASONS;

export interface ClientEnd {
    readonly reason: ClientEndReason;
    /** One line for the log. */
    readonly detail: string;
    /** Of the server's Call Abort, one of `STATUS`, or of its HTTP answer. */
    readonly status?: number;
    /** The server had said goodbye to PPP, too: its LCP Terminate-Request came before the end. */
    readonly terminated?: true;
    /** Why PPP ended, where it did. */
    readonly ppp?: Closure;
}
