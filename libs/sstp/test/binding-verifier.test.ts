import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "@postern/bytes";
import { decodeMessage, encodeCallConnected, type HashProtocol } from "@postern/sstp";
import { type BindingVerdict, BindingVerifier } from "../src/binding-verifier.ts";
import { digests, hashesOf } from "./node-digests.ts";

const NONCE = new Uint8Array(32).fill(5);
const HLAK = new Uint8Array(32).fill(6);
const certificate = hashesOf("certificate");

const createVerifier = (): BindingVerifier =>
    new BindingVerifier(digests, { hashProtocols: 3, nonce: NONCE, certificates: [certificate] });

const callConnected = (hlak = HLAK, hashProtocol: HashProtocol = 2, nonce = NONCE): Uint8Array =>
    encodeCallConnected(digests, { hashProtocol, nonce, certificate, hlak });

function present(verifier: BindingVerifier, packet: Uint8Array): BindingVerdict {
    const message = decodeMessage(packet);
    assert.ok(message.kind === "call-connected");
    return verifier.present(packet, message.binding);
}

describe("the order does not matter", () => {
    test("key first, as with Windows", () => {
        const verifier = createVerifier();
        assert.equal(verifier.authenticated(HLAK), "incomplete");
        assert.equal(present(verifier, callConnected()), "verified");
    });

    test("Call Connected first, as with sstpc", () => {
        const verifier = createVerifier();
        assert.equal(present(verifier, callConnected()), "incomplete");
        assert.equal(verifier.authenticated(HLAK), "verified");
    });

    test("a wrong key fails either way", () => {
        const wrong = new Uint8Array(32);
        const early = createVerifier();
        assert.equal(present(early, callConnected(wrong)), "incomplete");
        assert.deepEqual(early.authenticated(HLAK), { failure: "compound-mac" });
        const late = createVerifier();
        assert.equal(late.authenticated(HLAK), "incomplete");
        assert.deepEqual(present(late, callConnected(wrong)), { failure: "compound-mac" });
    });
});

test("everything but the MAC is refused at once", () => {
    const verifier = createVerifier();
    assert.deepEqual(present(verifier, callConnected(HLAK, 2, new Uint8Array(32))), { failure: "nonce" });
    assert.equal(verifier.certificateHash, undefined);
});

test("keys that should have come and did not are no key of zeros", () => {
    const verifier = createVerifier();
    assert.equal(present(verifier, callConnected(new Uint8Array(32))), "incomplete");
    assert.deepEqual(verifier.authenticated(undefined), { failure: "key-missing" });
});

test("what is kept is a copy, of packet and key", () => {
    const packet = callConnected();
    const key = HLAK.slice();
    const verifier = createVerifier();
    assert.equal(present(verifier, packet), "incomplete");
    packet.fill(0);
    assert.equal(toHex(verifier.certificateHash ?? NONCE), toHex(certificate.sha256));
    assert.equal(verifier.authenticated(key), "verified");
    verifier.forget();
    assert.deepEqual(key, HLAK, "forgetting wipes the verifier's copy, not the caller's key");
});

test("Buffers are copied like any other octets", () => {
    const packet = Buffer.from(callConnected());
    const verifier = createVerifier();
    assert.equal(present(verifier, packet), "incomplete");
    packet.fill(0);
    assert.equal(verifier.authenticated(Buffer.from(HLAK)), "verified");
    verifier.forget();
});

test("the hash that was proved is the field as presented, padding included", () => {
    const verifier = createVerifier();
    present(verifier, callConnected(HLAK, 1));
    assert.equal(toHex(verifier.certificateHash ?? NONCE), `${toHex(certificate.sha1)}${"00".repeat(12)}`);
});
