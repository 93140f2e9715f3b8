// Who made a packet: Request and Response Authenticators (RFC 2865 §3, RFC 2866 §3, RFC 5176 §2.3) and Message-Authenticator
// (RFC 3579 §3.2).  The first are MD5 over chosen text, which CVE-2024-3596 forges; nothing but the second is believed
// where the second is there.
import { equalBytesConstantTime } from "@postern/bytes";
import { ATTRIBUTE, AUTHENTICATOR_AT, AUTHENTICATOR_SIZE, type CODE, HEADER_SIZE } from "./constants.ts";
import type { RadiusDigests } from "./digests.ts";
import { RadiusError } from "./errors.ts";
import { type Attribute, decodePacket, encodePacket, type Packet } from "./packet.ts";

const ZEROS = new Uint8Array(AUTHENTICATOR_SIZE);

/** Whether a reply without a Message-Authenticator is believed: an Accounting-Response never has needed one. */
export type MessageAuthenticatorRule = "required" | "if-present";

/** A request whose authenticator is random: Access-Request, and Status-Server. */
export interface RandomRequest {
    readonly code: typeof CODE.accessRequest | typeof CODE.statusServer;
    readonly identifier: number;
    /** 16 unpredictable bytes, never used twice with the secret. */
    readonly authenticator: Uint8Array;
    readonly attributes: readonly Attribute[];
}

/** The bytes of a request that begins with its Message-Authenticator, where no attacker's text comes before it. */
export function encodeRandomRequest(
    request: RandomRequest,
    secret: Uint8Array,
    digests: RadiusDigests,
): Uint8Array<ArrayBuffer> {
    const bytes = encodePacket({
        ...request,
        attributes: [{ type: ATTRIBUTE.messageAuthenticator, value: ZEROS }, ...request.attributes],
    });
    bytes.set(digests.hmacMd5(secret, bytes), HEADER_SIZE + 2);
    return bytes;
}

/** The bytes of a request that is signed by its own authenticator: accounting, and what a dynamic authorization client sends. */
export function encodeSignedRequest(
    { code, identifier, attributes }: Omit<Packet, "authenticator">,
    secret: Uint8Array,
    digests: RadiusDigests,
): Uint8Array<ArrayBuffer> {
    const bytes = encodePacket({ code, identifier, attributes, authenticator: ZEROS });
    bytes.set(digests.md5(bytes, secret), AUTHENTICATOR_AT);
    return bytes;
}

/**
 * The reply in `bytes` to the request with this identifier and authenticator, when whoever sent it knows the secret; else a
 * RadiusError that says what is wrong.
 */
export function openReply(
    bytes: Uint8Array,
    request: Pick<Packet, "identifier" | "authenticator">,
    secret: Uint8Array,
    digests: RadiusDigests,
    rule: MessageAuthenticatorRule,
): Packet {
    const reply = decodePacket(bytes);
    if (reply.identifier !== request.identifier)
        throw new RadiusError("RADIUS_NOT_AUTHENTIC", "the reply is to another request");
    const signed = encodePacket({ ...reply, authenticator: request.authenticator });
    if (!equalBytesConstantTime(digests.md5(signed, secret), reply.authenticator))
        throw new RadiusError(
            "RADIUS_NOT_AUTHENTIC",
            "wrong Response Authenticator: is the secret the same at both ends?",
        );
    checkMessageAuthenticator({ ...reply, authenticator: request.authenticator }, secret, digests, rule);
    return reply;
}

/**
 * Throws a RadiusError unless the packet's one Message-Authenticator is right.  `packet.authenticator` is what the HMAC was made
 * over: a reply's is that of its request, that of accounting and CoA requests is zeros.
 */
function checkMessageAuthenticator(
    packet: Packet,
    secret: Uint8Array,
    digests: RadiusDigests,
    rule: MessageAuthenticatorRule,
): void {
    const found = packet.attributes.filter(({ type }) => type === ATTRIBUTE.messageAuthenticator);
    const [first] = found;
    if (first === undefined) {
        if (rule === "if-present") return;
        throw new RadiusError("RADIUS_NOT_AUTHENTIC", "no Message-Authenticator");
    }
    if (found.length > 1) throw new RadiusError("RADIUS_NOT_AUTHENTIC", `${found.length} Message-Authenticators`);
    const attributes = packet.attributes.map((attribute) =>
        attribute === first ? { type: attribute.type, value: ZEROS } : attribute,
    );
    const expected = digests.hmacMd5(secret, encodePacket({ ...packet, attributes }));
    if (!equalBytesConstantTime(expected, first.value))
        throw new RadiusError("RADIUS_NOT_AUTHENTIC", "wrong Message-Authenticator");
}

/**
 * The request in `bytes` from a dynamic authorization client (RFC 5176 §2.3, §3.6) when its sender knows the secret; else a
 * RadiusError.
 */
export function openSignedRequest(
    bytes: Uint8Array,
    secret: Uint8Array,
    digests: RadiusDigests,
    rule: MessageAuthenticatorRule,
): Packet {
    const request = decodePacket(bytes);
    const signed = encodePacket({ ...request, authenticator: ZEROS });
    if (!equalBytesConstantTime(digests.md5(signed, secret), request.authenticator))
        throw new RadiusError(
            "RADIUS_NOT_AUTHENTIC",
            "wrong Request Authenticator: is the secret the same at both ends?",
        );
    checkMessageAuthenticator({ ...request, authenticator: ZEROS }, secret, digests, rule);
    return request;
}

/** The bytes of a reply to `request`, with a Message-Authenticator in front. */
export function encodeReply(
    reply: Pick<Packet, "code" | "attributes">,
    { identifier, authenticator }: Pick<Packet, "identifier" | "authenticator">,
    secret: Uint8Array,
    digests: RadiusDigests,
): Uint8Array<ArrayBuffer> {
    const attributes = [{ type: ATTRIBUTE.messageAuthenticator, value: ZEROS }, ...reply.attributes];
    const bytes = encodePacket({ code: reply.code, identifier, authenticator, attributes });
    bytes.set(digests.hmacMd5(secret, bytes), HEADER_SIZE + 2);
    bytes.set(digests.md5(bytes, secret), AUTHENTICATOR_AT);
    return bytes;
}
