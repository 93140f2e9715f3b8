// Crypto binding, [MS-SSTP] 3.2.5.2: proof that the TLS session and the PPP authentication have the same two ends.
//   CMK = HMAC_H(HLAK, seed | LE16(n) | 0x01)      H = SHA-1, n = 20  or  SHA-256, n = 32
//   MAC = HMAC_H(CMK, the 112 octets of Call Connected with the Compound MAC field zeroed)
import { concatBytes, copyBytes, encodeLatin1, equalBytesConstantTime } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import type { CryptoBinding } from "./attributes.ts";
import {
    CALL_CONNECTED_SIZE,
    HASH_FIELD_SIZE,
    HASH_PROTOCOL,
    HLAK_SIZE,
    type HashProtocol,
    NONCE_SIZE,
} from "./constants.ts";
import { encodeMessage } from "./messages.ts";

/** The keyed hashes that this package needs and that its caller provides. */
export interface Digests {
    /** RFC 2104 with SHA-1: 20 octets. */
    hmacSha1(key: Uint8Array, data: Uint8Array): Uint8Array;
    /** RFC 2104 with SHA-256: 32 octets. */
    hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
}

/** Hashes of one DER-encoded server certificate. */
export interface CertificateHashes {
    /** 20 octets. */
    readonly sha1: Uint8Array;
    /** 32 octets. */
    readonly sha256: Uint8Array;
}

/**
 * Why a crypto binding was refused.  `attribute`: it is missing, has a wrong length or company (Abort status 9).
 * `key-missing`: the authentication method yields keys, but none arrived.  The others name the field that is wrong.
 */
export const BINDING_FAILURES = [
    "attribute",
    "hash-algorithm",
    "nonce",
    "certificate-hash",
    "key-missing",
    "compound-mac",
] as const;
export type BindingFailure = (typeof BINDING_FAILURES)[number];

/** What a server sent and presented, to hold a Crypto Binding attribute against. */
export interface ExpectedBinding {
    /** The bit mask that the Call Connect Ack offered. */
    readonly hashProtocols: number;
    /** The nonce of the Call Connect Ack. */
    readonly nonce: Uint8Array;
    /** Every certificate that the client may have seen: the current one, and during a rotation the previous one. */
    readonly certificates: readonly CertificateHashes[];
}

const CMK_SEED = encodeLatin1("SSTP inner method derived CMK");
const COMPOUND_MAC_AT = CALL_CONNECTED_SIZE - HASH_FIELD_SIZE;

/** HLAK of the methods that derive no keys (PAP, CHAP-MD5): 32 zero octets.  Never for a method that does. */
export const KEYLESS_HLAK: Uint8Array = new Uint8Array(HLAK_SIZE);

/**
 * Higher-layer authentication key from the MPPE keys as the server's side names them: the first 32 octets of
 * MS-MPPE-Recv-Key | MS-MPPE-Send-Key | zeros.  Right for MS-CHAPv2 (16 + 16) and for EAP (32 + 32), [MS-SSTP] 3.2.5.2.2.
 */
export function hlakFromMppeKeys(receiveKey: Uint8Array, sendKey: Uint8Array): Uint8Array<ArrayBuffer> {
    return concatBytes(receiveKey, sendKey, KEYLESS_HLAK).slice(0, HLAK_SIZE);
}

/** Compound MAC key, [MS-SSTP] 3.2.5.2.3: 20 or 32 octets. */
export function compoundMacKey(digests: Digests, hash: HashProtocol, hlak: Uint8Array): Uint8Array {
    if (hlak.length !== HLAK_SIZE) throw new InvariantError(`HLAK of ${hlak.length} octets`);
    const size = hash === HASH_PROTOCOL.sha256 ? 32 : 20;
    return hmac(digests, hash, hlak, concatBytes(CMK_SEED, Uint8Array.of(size, 0x00, 0x01)));
}

/**
 * Compound MAC, [MS-SSTP] 3.2.5.2.4, of a whole Call Connected packet as it was or will be on the wire, reserved bits
 * included; its own Compound MAC field does not matter.  32 octets: a SHA-1 value is padded with zeros.
 */
export function compoundMac(
    digests: Digests,
    hash: HashProtocol,
    hlak: Uint8Array,
    callConnected: Uint8Array,
): Uint8Array<ArrayBuffer> {
    if (callConnected.length !== CALL_CONNECTED_SIZE) {
        throw new InvariantError(`Call Connected of ${callConnected.length} octets`);
    }
    const covered = copyBytes(callConnected);
    covered.fill(0, COMPOUND_MAC_AT);
    return padded(hmac(digests, hash, compoundMacKey(digests, hash, hlak), covered));
}

/** Everything that can be checked before the authentication result: which field is wrong, or `undefined`. */
export function checkBinding(binding: CryptoBinding, expected: ExpectedBinding): BindingFailure | undefined {
    const hash = chosenHashProtocol(binding, expected.hashProtocols);
    if (hash === undefined) return "hash-algorithm";
    if (!equalBytesConstantTime(binding.nonce, expected.nonce)) return "nonce";
    const known = expected.certificates.some((certificate) =>
        equalBytesConstantTime(binding.certificateHash, padded(certificateHash(certificate, hash))),
    );
    return known ? undefined : "certificate-hash";
}

/** The one hash protocol in the attribute, if it is one of those offered. */
export function chosenHashProtocol(binding: CryptoBinding, offered: number): HashProtocol | undefined {
    for (const hash of Object.values(HASH_PROTOCOL)) {
        if (binding.hashProtocol === hash && (offered & hash) !== 0) return hash;
    }
    return undefined;
}

/** Whether the Compound MAC at the end of the whole packet `callConnected` proves knowledge of `hlak`. */
export function verifyCompoundMac(
    digests: Digests,
    hash: HashProtocol,
    hlak: Uint8Array,
    callConnected: Uint8Array,
): boolean {
    const expected = compoundMac(digests, hash, hlak, callConnected);
    return equalBytesConstantTime(callConnected.subarray(COMPOUND_MAC_AT), expected);
}

/** What a client puts into its Call Connected. */
export interface ClientBinding {
    readonly hashProtocol: HashProtocol;
    /** The nonce of the Call Connect Ack. */
    readonly nonce: Uint8Array;
    /** Of the certificate that the client was shown. */
    readonly certificate: CertificateHashes;
    readonly hlak: Uint8Array;
}

/** A client's whole Call Connected packet with its Compound MAC ([MS-SSTP] 2.2.11, 3.2.5.2). */
export function encodeCallConnected(digests: Digests, client: ClientBinding): Uint8Array<ArrayBuffer> {
    if (client.nonce.length !== NONCE_SIZE) throw new InvariantError(`nonce of ${client.nonce.length} octets`);
    const packet = encodeMessage({
        kind: "call-connected",
        binding: {
            hashProtocol: client.hashProtocol,
            nonce: client.nonce,
            certificateHash: certificateHash(client.certificate, client.hashProtocol),
            compoundMac: new Uint8Array(HASH_FIELD_SIZE),
        },
    });
    packet.set(compoundMac(digests, client.hashProtocol, client.hlak, packet), COMPOUND_MAC_AT);
    return packet;
}

/** The stronger of the hash protocols in a Call Connect Ack, or `undefined` when it offers none that is known. */
export function strongestHashProtocol(offered: number): HashProtocol | undefined {
    if ((offered & HASH_PROTOCOL.sha256) !== 0) return HASH_PROTOCOL.sha256;
    return (offered & HASH_PROTOCOL.sha1) === 0 ? undefined : HASH_PROTOCOL.sha1;
}

const hmac = (digests: Digests, hash: HashProtocol, key: Uint8Array, data: Uint8Array): Uint8Array =>
    hash === HASH_PROTOCOL.sha256 ? digests.hmacSha256(key, data) : digests.hmacSha1(key, data);

const certificateHash = (certificate: CertificateHashes, hash: HashProtocol): Uint8Array =>
    hash === HASH_PROTOCOL.sha256 ? certificate.sha256 : certificate.sha1;

function padded(hash: Uint8Array): Uint8Array<ArrayBuffer> {
    const field = new Uint8Array(HASH_FIELD_SIZE);
    field.set(hash);
    return field;
}
