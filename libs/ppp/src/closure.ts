// Why a PPP link ended: a closed list, so that reports and events can count on it.  The phases are
// those of RFC 1661 §3.2.

export const CLOSE_REASONS = {
    "terminated-by-peer": "The peer sent an LCP Terminate-Request.",
    "terminated-locally": "Our side ended the link; the detail says why.",
    "lcp-timeout": "The peer did not answer our LCP Configure-Requests.",
    "lcp-not-converging": "The peer and we kept refusing each other's LCP options.",
    "lcp-refused": "The peer refused an LCP packet that PPP cannot do without.",
    "authentication-not-agreed": "The peer wants none of the authentication methods that policy allows.",
    "authentication-timeout": "The peer did not authenticate itself in time.",
    "authentication-unanswered": "Nobody decided about the peer's credentials in time.",
    "authentication-failed": "The peer's credentials were refused.",
    "server-not-verified": "The server did not prove that it knows the password.",
    "renegotiation-refused": "The peer restarted LCP after it had authenticated.",
    "no-network-protocol": "Neither IPv4 nor IPv6 could be agreed on.",
    "echo-timeout": "The peer stopped answering LCP Echo-Requests.",
} as const satisfies Readonly<Record<string, string>>;

export type CloseReason = keyof typeof CLOSE_REASONS;

export interface Closure {
    readonly reason: CloseReason;
    /** One line for the log: what was met and what was expected.  Holds no secret. */
    readonly detail: string;
}
