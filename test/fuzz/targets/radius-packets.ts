// What RADIUS servers, and dynamic authorization clients, send.
import assert from "node:assert/strict";
import { encodeLatin1, toHex } from "@postern/bytes";
import {
    ATTRIBUTE,
    CODE,
    decodePacket,
    eapPacket,
    encodePacket,
    encodeRandomRequest,
    encodeReply,
    higherLayerKey,
    integerAttribute,
    MICROSOFT,
    mschapError,
    mschapSuccess,
    openReply,
    openSignedRequest,
    type Packet,
    packetSize,
    readInteger,
    readIpv6Prefix,
    readText,
    textAttribute,
    VENDOR,
    vendorAttribute,
    vendorValues,
} from "@postern/radius";
import { radiusDigests as digests } from "@postern/radius-client";
import type { FuzzTarget } from "../fuzz-target.ts";
import { outcomeOf, valueOf } from "../properties.ts";

const SECRET = encodeLatin1("shared by a fuzzer with itself");
const REQUEST = { code: CODE.accessRequest, identifier: 1, authenticator: new Uint8Array(16).fill(7) } as const;
const KEY_SIZE = 34;

function* seeds(): Iterable<Uint8Array> {
    const microsoft = (type: number, value: Uint8Array) => vendorAttribute(VENDOR.microsoft, type, value);
    const attributes = [
        textAttribute(ATTRIBUTE.userName, "alice"),
        integerAttribute(ATTRIBUTE.sessionTimeout, 3_600),
        { type: ATTRIBUTE.framedIpv6Prefix, value: Uint8Array.of(0, 32, 0x20, 1, 0xd, 0xb8) },
        { type: ATTRIBUTE.eapMessage, value: Uint8Array.of(3, 1, 0, 4) },
        microsoft(MICROSOFT.chap2Success, encodeLatin1(`\u0001S=${"0".repeat(40)}`)),
        microsoft(MICROSOFT.chapError, encodeLatin1("\u0001E=691 R=1")),
        microsoft(MICROSOFT.mppeSendKey, new Uint8Array(KEY_SIZE).fill(0x80)),
        microsoft(MICROSOFT.mppeRecvKey, new Uint8Array(KEY_SIZE).fill(0x81)),
    ];
    yield encodeRandomRequest({ ...REQUEST, attributes }, SECRET, digests);
    yield encodeReply({ code: CODE.accessAccept, attributes }, REQUEST, SECRET, digests);
    yield encodeReply({ code: CODE.accessReject, attributes: [] }, REQUEST, SECRET, digests);
}

export const target: FuzzTarget = {
    maxLength: 1_024,
    seeds,
    run(bytes) {
        outcomeOf(() => packetSize(bytes));
        outcomeOf(() => openSignedRequest(bytes, SECRET, digests, "if-present"));
        const packet = valueOf(outcomeOf(() => decodePacket(bytes)));
        if (packet === undefined) return;
        const again = encodePacket(packet);
        assert.equal(toHex(again), toHex(bytes.subarray(0, again.length)));
        assertBelieved(packet);
        readEverything(packet);
    },
};

/** Signed as a server does, it is opened: what the attributes say changes nothing about that. */
function assertBelieved({ code, attributes }: Packet): void {
    const inner = attributes.filter(({ type }) => type !== ATTRIBUTE.messageAuthenticator);
    const reply = encodeReply({ code, attributes: inner }, REQUEST, SECRET, digests);
    assert.equal(openReply(reply, REQUEST, SECRET, digests, "required").attributes.length, 1 + inner.length);
}

function readEverything(packet: Packet): void {
    const { attributes } = packet;
    const eap = eapPacket(attributes)?.length ?? 0;
    assert.ok(eap <= attributes.reduce((sum, { value }) => sum + value.length, 0));
    for (const read of [readInteger, readText, readIpv6Prefix]) {
        for (const { value } of attributes) outcomeOf(() => read(value));
    }
    for (const vendor of Object.values(VENDOR)) vendorValues(attributes, vendor, 1);
    outcomeOf(() => mschapSuccess(attributes));
    mschapError(attributes);
    const key = valueOf(outcomeOf(() => higherLayerKey(packet, REQUEST.authenticator, SECRET, digests)));
    assert.equal(key?.length ?? 32, 32);
}
