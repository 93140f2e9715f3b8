// One negotiable option: what we ask for, and what we say to the peer's wish.  A protocol is a list of these.

export type Verdict =
    | { readonly verdict: "ack" }
    | { readonly verdict: "nak"; readonly value: Uint8Array }
    | { readonly verdict: "reject" };

export const ACK: Verdict = { verdict: "ack" };
export const REJECT: Verdict = { verdict: "reject" };
export const nak = (value: Uint8Array): Verdict => ({ verdict: "nak", value });

/** Values alias the packet: a handler copies what it keeps. */
export interface OptionHandler {
    readonly type: number;
    /** The value for our next Configure-Request; `undefined` leaves the option out. */
    request?(): Uint8Array | undefined;
    /** The peer answered our wish with Configure-Nak and suggests `value`. */
    naked?(value: Uint8Array): void;
    /** The peer will have no such option of ours. */
    rejected?(): void;
    /** The peer asks for `value`.  Without this method the answer is always Configure-Reject. */
    judge?(value: Uint8Array): Verdict;
    /** The peer left the option out: the value to append to a Configure-Nak, RFC 1661 §5.3, or `undefined`. */
    demand?(): Uint8Array | undefined;
    /** We acknowledge the peer's whole request; `undefined` when this option is not in it. */
    accepted?(value: Uint8Array | undefined): void;
}
