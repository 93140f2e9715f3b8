import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeLatin1, fromHex, toHex } from "@postern/bytes";
import {
    ATTRIBUTE,
    CODE,
    decodePacket,
    encodePacket,
    encodeRandomRequest,
    encodeReply,
    encodeSignedRequest,
    openReply,
    openSignedRequest,
    type Packet,
    RadiusError,
    textAttribute,
} from "@postern/radius";
import { digests } from "./digests.ts";

/** Of the examples in RFC 2865 §7 and RFC 5997 §6. */
const SECRET = encodeLatin1("xyzzy5461");
const REQUEST = {
    code: CODE.accessRequest,
    identifier: 9,
    authenticator: fromHex("000102030405060708090a0b0c0d0e0f"),
    attributes: [textAttribute(ATTRIBUTE.userName, "alice")],
} as const;

const notAuthentic = (message: RegExp) => (error: unknown) =>
    error instanceof RadiusError && error.code === "RADIUS_NOT_AUTHENTIC" && message.test(error.message);

const open = (bytes: Uint8Array, rule: "required" | "if-present" = "required"): Packet =>
    openReply(bytes, REQUEST, SECRET, digests, rule);

const accept = (): Uint8Array =>
    encodeReply({ code: CODE.accessAccept, attributes: REQUEST.attributes }, REQUEST, SECRET, digests);

test("the Status-Server of RFC 5997 §6.1, byte for byte, and its reply", () => {
    const request = {
        code: CODE.statusServer,
        identifier: 0xda,
        authenticator: fromHex("8a54f4686fb394c52866e302185d0623"),
        attributes: [],
    } as const;
    assert.equal(
        toHex(encodeRandomRequest(request, SECRET, digests)),
        toHex(fromHex("0cda0026 8a54f4686fb394c52866e302185d0623 5012 5a665e2e1e8411f3e243822097c84fa3")),
    );
    const reply = fromHex("02da0014 ef0d552a4bf2d693ec2b6fe8b5411d66");
    assert.equal(openReply(reply, request, SECRET, digests, "if-present").code, CODE.accessAccept);
    assert.throws(
        () => openReply(reply, request, SECRET, digests, "required"),
        notAuthentic(/no Message-Authenticator/),
    );
});

test("the Access-Accept of RFC 2865 §7.1", () => {
    const request = { identifier: 0, authenticator: fromHex("0f403f9473978057bd83d5cb98f4227a") };
    const reply = fromHex("02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103");
    assert.equal(openReply(reply, request, SECRET, digests, "if-present").attributes.length, 3);
});

test("a request begins with its Message-Authenticator", () => {
    const [first, second] = decodePacket(encodeRandomRequest(REQUEST, SECRET, digests)).attributes;
    assert.equal(first?.type, ATTRIBUTE.messageAuthenticator);
    assert.equal(second?.type, ATTRIBUTE.userName);
});

test("a reply with one bit changed is not believed, wherever the bit is", () => {
    const bytes = accept();
    fc.assert(
        fc.property(fc.nat(8 * bytes.length - 1), (bit) => {
            const changed = Uint8Array.from(bytes);
            changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
            assert.throws(() => open(changed), RadiusError);
        }),
        { numRuns: 400 },
    );
    assert.equal(open(bytes).code, CODE.accessAccept);
});

test("a reply with another secret, to another request, or without a Message-Authenticator is not believed", () => {
    const bytes = accept();
    assert.throws(
        () => openReply(bytes, REQUEST, encodeLatin1("other"), digests, "required"),
        notAuthentic(/Response Authenticator/),
    );
    assert.throws(
        () => openReply(bytes, { ...REQUEST, identifier: 10 }, SECRET, digests, "required"),
        notAuthentic(/another request/),
    );
    assert.throws(
        () => openReply(bytes, { ...REQUEST, authenticator: new Uint8Array(16) }, SECRET, digests, "required"),
        notAuthentic(/Response Authenticator/),
    );
    const bare = signed({ ...decodePacket(bytes), attributes: REQUEST.attributes });
    assert.throws(() => open(bare), notAuthentic(/no Message-Authenticator/));
    assert.equal(open(bare, "if-present").code, CODE.accessAccept);
});

test("a wrong or a second Message-Authenticator is not believed, even where none would be", () => {
    const packet = decodePacket(accept());
    const [right] = packet.attributes;
    assert.ok(right);
    const wrong = { type: right.type, value: new Uint8Array(16) };
    const short = { type: right.type, value: right.value.subarray(1) };
    for (const attributes of [[wrong], [short], [right, right]]) {
        const bytes = signed({ ...packet, attributes: [...attributes, ...REQUEST.attributes] });
        assert.throws(() => open(bytes, "if-present"), notAuthentic(/Message-Authenticator/));
    }
});

test("what is signed by its authenticator is opened with the same secret only", () => {
    const bytes = encodeSignedRequest(
        { code: CODE.disconnectRequest, identifier: 3, attributes: REQUEST.attributes },
        SECRET,
        digests,
    );
    assert.equal(openSignedRequest(bytes, SECRET, digests, "if-present").identifier, 3);
    assert.throws(
        () => openSignedRequest(bytes, SECRET, digests, "required"),
        notAuthentic(/no Message-Authenticator/),
    );
    assert.throws(
        () => openSignedRequest(bytes, encodeLatin1("other"), digests, "if-present"),
        notAuthentic(/Request Authenticator/),
    );
});

/** With a right Response Authenticator, as a server that lacks the rest makes it. */
function signed(packet: Packet): Uint8Array {
    const bytes = encodePacket({ ...packet, authenticator: REQUEST.authenticator });
    bytes.set(digests.md5(bytes, SECRET), 4);
    return bytes;
}
