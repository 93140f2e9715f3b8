// From how SSTP and PPP ended to the closed list that the bus knows.
import type { BindingFailureReason, EndReason } from "@postern/contracts";
import type { CloseReason, Closure } from "@postern/ppp";
import type { CallEnd } from "@postern/sstp";

/** Of a session that was admitted.  `closure`: how its link ended before the call did; `wish`: why we ended it, where we did. */
export function endReasonOf(end: CallEnd, closure: Closure | undefined, wish: EndReason | undefined): EndReason {
    const local = wish ?? (closure && endReasonOfLink(closure.reason));
    switch (end.reason) {
        case "client-disconnect":
            return local ?? "client-disconnect";
        case "client-abort":
            return local ?? "client-abort";
        case "stream-closed":
            return local ?? "client-gone";
        case "local-disconnect":
        case "local-abort":
            return local ?? "internal-error";
        case "binding-failed":
            return "binding-failed";
        case "negotiation-timeout":
            return "negotiation-timeout";
        case "hello-timeout":
            return "hello-timeout";
        case "connect-retries-exceeded":
        case "protocol-error":
            return "protocol-error";
    }
}

/** Of a session that was not: the first thing that went wrong, as whoever noticed it calls it. */
export function whyGivenUp(
    end: CallEnd,
    closure: Closure | undefined,
    wish: EndReason | undefined,
): { readonly reason: string; readonly detail: string } {
    const detail = closure?.detail ?? ("detail" in end ? end.detail : "");
    return { reason: wish ?? closure?.reason ?? end.reason, detail };
}

/** Why the session ends when its link has. */
function endReasonOfLink(reason: CloseReason): EndReason {
    switch (reason) {
        case "terminated-by-peer":
            return "client-terminate";
        case "authentication-timeout":
        case "authentication-unanswered":
        case "lcp-timeout":
            return "negotiation-timeout";
        case "echo-timeout":
            return "hello-timeout";
        case "no-network-protocol":
            return "network-failed";
        case "terminated-locally":
        case "authentication-failed":
        case "authentication-not-agreed":
        case "server-not-verified":
        case "lcp-not-converging":
        case "lcp-refused":
        case "renegotiation-refused":
            return "protocol-error";
    }
}

const BINDING_DETAIL: Readonly<Record<BindingFailureReason, string>> = {
    nonce: "the nonce is not the one in our CALL_CONNECT_ACK: a replay, or another session's message",
    "certificate-hash":
        "the client saw another certificate than the ones served here: TLS ends somewhere else, or an attacker is in between",
    "hash-algorithm": "the hash is not exactly one of those offered; RouterOS wants SHA-1 (session-worker.sstp.hashes)",
    "compound-mac":
        "the client's keys are not ours: wrong key order or length from the authentication server, or an attacker is in between",
    "key-missing":
        "authentication succeeded without session keys: a RADIUS server must return MS-MPPE keys (FreeRADIUS: use_mppe = yes)",
    attribute: "the crypto binding attribute is missing, has a wrong length, or is not alone",
    "not-received": "the client never sent CALL_CONNECTED",
};

/** One line for the administrator. */
export const bindingDetail = (reason: BindingFailureReason): string => BINDING_DETAIL[reason];
