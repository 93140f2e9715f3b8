// Packets as dynamic authorization clients make them, and what they read in the answers.
import {
    ATTRIBUTE,
    CODE,
    bytesAttribute,
    decodePacket,
    encodePacket,
    encodeSignedRequest,
    integerAttribute,
    openReply,
    readInteger,
    textAttribute,
    valuesOf,
    type Attribute,
    type Packet,
} from "@postern/radius";
import { radiusDigests } from "@postern/radius-client";

let lastIdentifier = 0;

export const user = (name: string): Attribute => textAttribute(ATTRIBUTE.userName, name);
export const proxyState = (text: string): Attribute => textAttribute(ATTRIBUTE.proxyState, text);
/** Seconds since 1970 of a time in milliseconds. */
export const eventTimestamp = (at: number): Attribute =>
    integerAttribute(ATTRIBUTE.eventTimestamp, Math.floor(at / 1_000));

/** A request with an identifier of its own. */
const request = (attributes: readonly Attribute[], code: number = CODE.disconnectRequest) => ({
    code,
    identifier: (lastIdentifier = (lastIdentifier + 1) % 256),
    attributes,
});

export const signed = (
    attributes: readonly Attribute[],
    secret: Uint8Array,
    code: number = CODE.disconnectRequest,
): Uint8Array => encodeSignedRequest(request(attributes, code), secret, radiusDigests);

/** With a Message-Authenticator in front, RFC 5176 §3.4: made over an authenticator of zeros. */
export function signedTwice(attributes: readonly Attribute[], secret: Uint8Array): Uint8Array {
    const blank = bytesAttribute(ATTRIBUTE.messageAuthenticator, new Uint8Array(16));
    const packet = request([blank, ...attributes]);
    const zeros = encodePacket({ ...packet, authenticator: new Uint8Array(16) });
    const value = radiusDigests.hmacMd5(secret, zeros);
    return encodeSignedRequest(
        { ...packet, attributes: [{ type: ATTRIBUTE.messageAuthenticator, value }, ...attributes] },
        secret,
        radiusDigests,
    );
}

/** The answer to `sent`, checked as a client checks it. */
export function readAnswer(
    answer: Uint8Array,
    sent: Uint8Array,
    secret: Uint8Array,
): { readonly code: number; readonly errorCause: number | undefined; readonly packet: Packet } {
    const packet = openReply(answer, decodePacket(sent), secret, radiusDigests, "required");
    const [cause] = valuesOf(packet.attributes, ATTRIBUTE.errorCause);
    return { code: packet.code, errorCause: cause && readInteger(cause), packet };
}
