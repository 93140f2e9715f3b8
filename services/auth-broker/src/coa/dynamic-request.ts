// What a dynamic authorization client asks for, RFC 5176 §3: pure, from the attributes of a packet that is known to be authentic.
import { ATTRIBUTE, CODE, RadiusError, type Packet } from "@postern/radius";
import { refuse, type Refusal } from "./error-cause.ts";
import { NAS_KEYS, readTarget, SESSION_KEYS, type SessionTarget, type TargetRules } from "./session-target.ts";

export interface DynamicRequest {
    readonly kind: "disconnect";
    readonly target: SessionTarget;
}

/** Attributes of the packet itself. */
const ENVELOPE: readonly number[] = [ATTRIBUTE.proxyState, ATTRIBUTE.messageAuthenticator, ATTRIBUTE.eventTimestamp];
/** RFC 5176 §3.6 lets a Disconnect-Request have them; SSTP cannot show a message, and the cause follows from the request. */
const REMARKS: readonly number[] = [ATTRIBUTE.replyMessage, ATTRIBUTE.acctTerminateCause];

const DISCONNECT_KNOWS = new Set([...ENVELOPE, ...REMARKS, ...SESSION_KEYS, ...NAS_KEYS]);

/** Requests that are answered; anything else on the port is ignored. */
export const isDynamicRequest = ({ code }: Pick<Packet, "code">): boolean => code === CODE.disconnectRequest;

/** What is to be done, or why it is not. */
export function readRequest({ attributes }: Pick<Packet, "attributes">, rules: TargetRules): DynamicRequest | Refusal {
    // Ahead of what is unknown: it changes what all the others would mean.
    if (attributes.some(({ type }) => type === ATTRIBUTE.serviceType))
        return refuse("unsupportedService", "Service-Type: sessions are not authorized anew");
    const unknown = attributes.find(({ type }) => !DISCONNECT_KNOWS.has(type));
    if (unknown !== undefined) return refuse("unsupportedAttribute", `attribute ${unknown.type}`);
    try {
        const target = readTarget(attributes, rules);
        return "refused" in target ? target : { kind: "disconnect", target };
    } catch (error) {
        if (!(error instanceof RadiusError)) throw error;
        return refuse("invalidAttributeValue", error.message);
    }
}
