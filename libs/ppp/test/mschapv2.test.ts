import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { concatBytes, encodeLatin1, encodeUtf8, fromHex, toHex } from "@postern/bytes";
import {
    authenticatorResponse,
    challengeHash,
    challengeResponse,
    decodeMschapv2Response,
    encodeMschapv2Response,
    hlakFromKeys,
    type Mschapv2Response,
    mppeKeys,
    ntPasswordHash,
    PppError,
    verifyMschapv2,
    withoutDomain,
} from "@postern/ppp";
import { testMessageDecoder } from "@postern/testkit";
import { md4 } from "../src/md4.ts";
import { DIGESTS } from "./support/digests.ts";

// RFC 2759 §9.2 and RFC 3079 §3.5.3.
const AUTHENTICATOR_CHALLENGE = fromHex("5B5D7C7D7B3F2F3E3C2C602132262628");
const PEER_CHALLENGE = fromHex("21402324255E262A28295F2B3A337C7E");
const NT_RESPONSE = fromHex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF");
const NT_HASH = fromHex("44EBBA8D5312B8D611474411F56989AE");
const SUCCESS = "S=407A5589115FD0D6209F510FE9C04566932CDA56";

describe("the sample exchange of RFC 2759 §9.2", () => {
    const hashed = challengeHash(DIGESTS, PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, encodeLatin1("User"));

    test("challenge hash", () => assert.equal(toHex(hashed), "d02e4386bce91226"));
    test("NT hash", () => assert.deepEqual(ntPasswordHash("clientPass"), NT_HASH));
    test("hash of the NT hash", () => assert.equal(toHex(md4(NT_HASH)), "41c00c584bd2d91c4017a2a12fa59f3f"));
    test("NT-Response", () => assert.deepEqual(challengeResponse(DIGESTS, hashed, NT_HASH), NT_RESPONSE));
    test("authenticator response", () =>
        assert.equal(authenticatorResponse(DIGESTS, NT_HASH, NT_RESPONSE, hashed), SUCCESS));
});

test("the server's keys of RFC 3079 §3.5.3", () => {
    const { serverReceive, serverSend } = mppeKeys(DIGESTS, NT_HASH, NT_RESPONSE);
    assert.equal(toHex(serverReceive), "d5f0e9521e3ea9589645e86051c82226");
    assert.equal(toHex(serverSend), "8b7cdc149b993a1ba118cb153f56dccb");
});

test("the crypto binding of [MS-SSTP] that follows from them", () => {
    const { serverReceive, serverSend } = mppeKeys(DIGESTS, NT_HASH, NT_RESPONSE);
    const hlak = hlakFromKeys(serverReceive, serverSend);
    const label = encodeLatin1("SSTP inner method derived CMK");
    const key = (hash: string, size: number): string =>
        createHmac(hash, hlak)
            .update(concatBytes(label, Uint8Array.of(size, 0, 1)))
            .digest("hex");
    assert.equal(key("sha256", 32), "150707e682b16f4ca9430560c562894afd10050db4182d35c3e9e06284445271");
    assert.equal(key("sha1", 20), "3afbff0ba79dd9743bd09949fa99f9d0c92d3698");
});

test("one rule makes the HLAK of every method: 32 + 32, 16 + 16, nothing", () => {
    const long = Uint8Array.from({ length: 32 }, (_, at) => at);
    assert.deepEqual(hlakFromKeys(long, long.toReversed()), long);
    assert.deepEqual(hlakFromKeys(long.subarray(0, 16), long.subarray(16)), long);
    assert.deepEqual(hlakFromKeys(new Uint8Array(0), new Uint8Array(0)), new Uint8Array(32));
});

const attempt = (user: string) => ({
    user,
    challenge: AUTHENTICATOR_CHALLENGE,
    response: encodeMschapv2Response({ peerChallenge: PEER_CHALLENGE, ntResponse: NT_RESPONSE }),
});

describe("verification", () => {
    test("accepts the right password, with and without a domain in the name", () => {
        for (const user of ["User", String.raw`DOMAIN\User`, String.raw`a\b\User`]) {
            assert.equal(verifyMschapv2(DIGESTS, NT_HASH, attempt(user))?.message, SUCCESS, user);
        }
    });

    test("refuses another name, another password, another challenge", () => {
        assert.equal(verifyMschapv2(DIGESTS, NT_HASH, attempt("user")), undefined);
        assert.equal(verifyMschapv2(DIGESTS, NT_HASH, attempt("User@example.com")), undefined);
        assert.equal(verifyMschapv2(DIGESTS, ntPasswordHash("clientpass"), attempt("User")), undefined);
        const replayed = { ...attempt("User"), challenge: PEER_CHALLENGE };
        assert.equal(verifyMschapv2(DIGESTS, NT_HASH, replayed), undefined);
    });

    test("is the counterpart of what any client computes, also for names and passwords beyond ASCII", () => {
        const names = fc.string({ unit: "grapheme", minLength: 1 }).filter((name) => !name.includes("\\"));
        const spellings = fc.constantFrom(encodeUtf8, encodeLatin1);
        fc.assert(
            fc.property(names, fc.string({ unit: "grapheme" }), spellings, (user, password, spell) => {
                const hash = ntPasswordHash(password);
                const hashed = challengeHash(DIGESTS, PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, spell(user));
                const ntResponse = challengeResponse(DIGESTS, hashed, hash);
                const response = encodeMschapv2Response({ peerChallenge: PEER_CHALLENGE, ntResponse });
                const verdict = verifyMschapv2(DIGESTS, hash, { user, challenge: AUTHENTICATOR_CHALLENGE, response });
                assert.equal(verdict?.message, authenticatorResponse(DIGESTS, hash, ntResponse, hashed));
            }),
        );
    });
});

test("the password is hashed in UTF-16, little-endian", () => {
    // "ü" is fc 00 there; with UTF-8 or Latin-1 the digest would be another.
    assert.deepEqual(ntPasswordHash("ü"), md4(Uint8Array.of(0xfc, 0x00)));
    assert.deepEqual(ntPasswordHash("😀"), md4(Uint8Array.of(0x3d, 0xd8, 0x00, 0xde)));
});

test("only the domain goes from a name", () => {
    assert.equal(withoutDomain(String.raw`CORP\alice`), "alice");
    assert.equal(withoutDomain("alice@corp.example"), "alice@corp.example");
    assert.equal(withoutDomain("alice"), "alice");
});

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });

testMessageDecoder<Mschapv2Response>({
    name: "response value",
    decode: decodeMschapv2Response,
    encode: encodeMschapv2Response,
    vectors: [
        {
            name: "reserved bytes and flags set: ignored",
            hex: `${toHex(PEER_CHALLENGE)} 0102030405060708 ${toHex(NT_RESPONSE)} ff`,
            value: { peerChallenge: PEER_CHALLENGE, ntResponse: NT_RESPONSE },
            decodeOnly: true,
        },
    ],
    malformed: [
        { name: "CHAP with MD5", hex: "00".repeat(16), code: "PPP_BAD_AUTHENTICATION" },
        { name: "a byte more", hex: "00".repeat(50), code: "PPP_BAD_AUTHENTICATION" },
    ],
    arbitrary: fc.record({ peerChallenge: bytes(16), ntResponse: bytes(24) }),
    isOwnError: (error) => error instanceof PppError,
});
