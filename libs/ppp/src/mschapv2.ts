// MS-CHAPv2, RFC 2759, and the keys that follow from it, RFC 3079.  The functions have the RFCs' names and order.
//   Response value: peer challenge 16 | reserved 8 | NT-Response 24 | flags 1
import {
    concatBytes,
    copyBytes,
    encodeLatin1,
    encodeUtf16Le,
    encodeUtf8,
    equalBytes,
    equalBytesConstantTime,
    toHex,
} from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import type { Digests } from "./digests.ts";
import { PppError } from "./errors.ts";
import { md4 } from "./md4.ts";

export const CHALLENGE_SIZE = 16;
export const RESPONSE_VALUE_SIZE = 49;
/** The higher-layer authentication key of [MS-SSTP] 3.2.5.2.2. */
export const HLAK_SIZE = 32;
const NT_RESPONSE_OFFSET = CHALLENGE_SIZE + 8;
const NT_RESPONSE_SIZE = 24;
const KEY_SIZE = 16;

const SIGNING_CONSTANT = encodeLatin1("Magic server to client signing constant");
const ITERATION_PAD = encodeLatin1("Pad to make it do more than one iteration");
const MASTER_KEY_CONSTANT = encodeLatin1("This is the MPPE Master Key");
const SERVER_RECEIVES = encodeLatin1(
    "On the client side, this is the send key; on the server side, it is the receive key.",
);
const SERVER_SENDS = encodeLatin1(
    "On the client side, this is the receive key; on the server side, it is the send key.",
);
const SHA_PAD_1 = new Uint8Array(40);
const SHA_PAD_2 = new Uint8Array(40).fill(0xf2);

export interface Mschapv2Response {
    readonly peerChallenge: Uint8Array;
    readonly ntResponse: Uint8Array;
}

/** RFC 2759 §4.  Reserved bytes and flags are ignored on receipt. */
export function decodeMschapv2Response(value: Uint8Array): Mschapv2Response {
    if (value.length !== RESPONSE_VALUE_SIZE) {
        throw new PppError("PPP_BAD_AUTHENTICATION", `MS-CHAPv2 response of ${value.length} bytes`);
    }
    return {
        peerChallenge: copyBytes(value, 0, CHALLENGE_SIZE),
        ntResponse: copyBytes(value, NT_RESPONSE_OFFSET, NT_RESPONSE_OFFSET + NT_RESPONSE_SIZE),
    };
}

/** RFC 2759 §4. */
export function encodeMschapv2Response(response: Mschapv2Response): Uint8Array {
    const value = new Uint8Array(RESPONSE_VALUE_SIZE);
    value.set(response.peerChallenge);
    value.set(response.ntResponse, NT_RESPONSE_OFFSET);
    return value;
}

/** The part of `DOMAIN\user` that goes into the challenge hash, RFC 2759 §4. */
export const withoutDomain = (user: string): string => user.slice(user.lastIndexOf("\\") + 1);

/** RFC 2759 §8.2: 8 bytes.  `userName` is without its domain, in the bytes that the client sent. */
export function challengeHash(
    digests: Digests,
    peerChallenge: Uint8Array,
    authenticatorChallenge: Uint8Array,
    userName: Uint8Array,
): Uint8Array {
    return digests.sha1(concatBytes(peerChallenge, authenticatorChallenge, userName)).subarray(0, 8);
}

/** RFC 2759 §8.3: the 16 bytes that local user databases keep.  As good as the password: a secret. */
export const ntPasswordHash = (password: string): Uint8Array => md4(encodeUtf16Le(password));

/** RFC 2759 §8.5: 24 bytes. */
export function challengeResponse(digests: Digests, challenge: Uint8Array, passwordHash: Uint8Array): Uint8Array {
    const padded = new Uint8Array(21);
    padded.set(passwordHash);
    return concatBytes(
        ...[0, 7, 14].map((at) => digests.desEncrypt(withParityBits(padded.subarray(at, at + 7)), challenge)),
    );
}

/** RFC 2759 §8.6: 56 bits become 8 bytes of 7 bits each; DES ignores the low bits. */
function withParityBits(key: Uint8Array): Uint8Array {
    let bits = 0n;
    for (const byte of key) bits = (bits << 8n) | BigInt(byte);
    return Uint8Array.from({ length: 8 }, (_, index) => Number((bits >> BigInt(49 - 7 * index)) & 0x7fn) << 1);
}

/** RFC 2759 §8.7: `S=` and 40 hexadecimal digits. */
export function authenticatorResponse(
    digests: Digests,
    passwordHash: Uint8Array,
    ntResponse: Uint8Array,
    challenge: Uint8Array,
): string {
    const digest = digests.sha1(concatBytes(md4(passwordHash), ntResponse, SIGNING_CONSTANT));
    return `S=${toHex(digests.sha1(concatBytes(digest, challenge, ITERATION_PAD))).toUpperCase()}`;
}

export interface MppeKeys {
    /** RADIUS calls them MS-MPPE-Recv-Key and MS-MPPE-Send-Key: the server's point of view. */
    readonly serverReceive: Uint8Array;
    readonly serverSend: Uint8Array;
}

/** RFC 3079 §3.4: the 128-bit start keys. */
export function mppeKeys(digests: Digests, passwordHash: Uint8Array, ntResponse: Uint8Array): MppeKeys {
    const master = digests.sha1(concatBytes(md4(passwordHash), ntResponse, MASTER_KEY_CONSTANT)).subarray(0, KEY_SIZE);
    const derive = (constant: Uint8Array): Uint8Array =>
        copyBytes(digests.sha1(concatBytes(master, SHA_PAD_1, constant, SHA_PAD_2)), 0, KEY_SIZE);
    return { serverReceive: derive(SERVER_RECEIVES), serverSend: derive(SERVER_SENDS) };
}

/**
 * [MS-SSTP] 3.2.5.2.2: the first 32 bytes of receive key, send key and zeros.  One rule for every method: EAP's keys are
 * 32 bytes each, MS-CHAPv2's 16, and methods without keys have empty ones.
 */
export function hlakFromKeys(serverReceive: Uint8Array, serverSend: Uint8Array): Uint8Array {
    const hlak = new Uint8Array(HLAK_SIZE);
    hlak.set(concatBytes(serverReceive, serverSend).subarray(0, HLAK_SIZE));
    return hlak;
}

export interface Mschapv2Verdict {
    /** The message of the Success packet. */
    readonly message: string;
    /** 32 bytes for SSTP's crypto binding: a secret. */
    readonly hlak: Uint8Array;
}

/**
 * Checks a client's response against the NT hash of the user's password; `undefined` when it does not fit.  A name that
 * is not ASCII may have been hashed in UTF-8 or in an 8-bit character set: both are tried.
 */
export function verifyMschapv2(
    digests: Digests,
    passwordHash: Uint8Array,
    attempt: { readonly user: string; readonly challenge: Uint8Array; readonly response: Uint8Array },
): Mschapv2Verdict | undefined {
    if (passwordHash.length !== KEY_SIZE) throw new InvariantError(`NT hash of ${passwordHash.length} bytes`);
    const { peerChallenge, ntResponse } = decodeMschapv2Response(attempt.response);
    for (const name of spellings(withoutDomain(attempt.user))) {
        const challenge = challengeHash(digests, peerChallenge, attempt.challenge, name);
        if (!equalBytesConstantTime(challengeResponse(digests, challenge, passwordHash), ntResponse)) continue;
        const keys = mppeKeys(digests, passwordHash, ntResponse);
        return {
            message: authenticatorResponse(digests, passwordHash, ntResponse, challenge),
            hlak: hlakFromKeys(keys.serverReceive, keys.serverSend),
        };
    }
    return undefined;
}

function spellings(name: string): readonly Uint8Array[] {
    const utf8 = encodeUtf8(name);
    const latin1 = encodeLatin1(name);
    return equalBytes(utf8, latin1) ? [utf8] : [utf8, latin1];
}
