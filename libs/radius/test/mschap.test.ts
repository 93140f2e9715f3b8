import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeLatin1, fromHex, toHex } from "@postern/bytes";
import {
    type Attribute,
    higherLayerKey,
    MICROSOFT,
    mschapAttributes,
    mschapError,
    mschapSuccess,
    RadiusError,
    VENDOR,
    vendorAttribute,
    vendorValues,
} from "@postern/radius";
import { digests } from "./digests.ts";
import { hideKey } from "./hide-key.ts";

const SECRET = encodeLatin1("xyzzy5461");
const AUTHENTICATOR = fromHex("0f403f9473978057bd83d5cb98f4227a");
const REQUEST = { authenticator: AUTHENTICATOR, secret: SECRET };
const microsoft = (type: number, value: Uint8Array): Attribute => vendorAttribute(VENDOR.microsoft, type, value);

test("a response of CHAP becomes the attributes of RFC 2548 §2.3", () => {
    const challenge = fromHex("5b5d7c7d7b3f2f3e3c2c602132262628");
    const peer = "21402324255e262a28295f2b3a337c7e";
    const proof = "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df";
    const response = fromHex(`${peer}0000000000000000${proof}04`);
    const attributes = mschapAttributes({ ident: 7, challenge, response });
    const value = (type: number) => vendorValues(attributes, VENDOR.microsoft, type).map(toHex);
    assert.deepEqual(value(MICROSOFT.chapChallenge), [toHex(challenge)]);
    assert.deepEqual(value(MICROSOFT.chap2Response), [`0704${peer}0000000000000000${proof}`]);
});

test("what the client is told: success and failure", () => {
    const proof = "S=407A5589115FD0D6209F510FE9C04566932CDA56";
    const success = (text: string) => mschapSuccess([microsoft(MICROSOFT.chap2Success, encodeLatin1(text))]);
    assert.equal(success(`\u0007${proof}`), proof);
    assert.equal(success(`\u0007${proof} M=Welcome`), proof);
    assert.throws(() => success(`\u0007${proof.slice(0, -1)}`), RadiusError);
    assert.throws(() => success(""), RadiusError);
    assert.equal(mschapSuccess([]), undefined);

    const error = (text: string) => mschapError([microsoft(MICROSOFT.chapError, encodeLatin1(text))]);
    assert.equal(error("\u0007E=691 R=1"), "E=691 R=1");
    assert.equal(error("E=691 R=1"), "E=691 R=1");
    assert.equal(mschapError([]), undefined);
});

test("the key that SSTP binds to is receive and send key, filled with zeros, cut at 32 bytes", () => {
    const key = (...parts: readonly Uint8Array[]): string | undefined => {
        const [receive, send] = parts.map((part, index) => hideKey(part, Uint8Array.of(0x80, index), REQUEST));
        const attributes = [
            ...(send === undefined ? [] : [microsoft(MICROSOFT.mppeSendKey, send)]),
            ...(receive === undefined ? [] : [microsoft(MICROSOFT.mppeRecvKey, receive)]),
        ];
        const found = higherLayerKey({ attributes }, AUTHENTICATOR, SECRET, digests);
        return found && toHex(found);
    };
    const short = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
    assert.equal(key(...short), "01".repeat(16) + "02".repeat(16));
    assert.equal(key(new Uint8Array(32).fill(3), new Uint8Array(32).fill(4)), "03".repeat(32));
    assert.equal(
        key(new Uint8Array(8).fill(5), new Uint8Array(8).fill(6)),
        "05".repeat(8) + "06".repeat(8) + "00".repeat(16),
    );
    assert.equal(key(), undefined);
    assert.equal(key(new Uint8Array(16)), undefined);
    const broken = [
        microsoft(MICROSOFT.mppeSendKey, new Uint8Array(34)),
        microsoft(MICROSOFT.mppeRecvKey, new Uint8Array(3)),
    ];
    assert.throws(() => higherLayerKey({ attributes: broken }, AUTHENTICATOR, SECRET, digests), RadiusError);
});
