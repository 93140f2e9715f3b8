import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "@postern/bytes";
import {
    type BindingFailure,
    type CertificateHashes,
    checkBinding,
    compoundMac,
    compoundMacKey,
    decodeMessage,
    encodeCallConnected,
    HASH_PROTOCOL,
    type HashProtocol,
    hlakFromMppeKeys,
    KEYLESS_HLAK,
    strongestHashProtocol,
    verifyCompoundMac,
} from "@postern/sstp";
import { digests, hashesOf } from "./node-digests.ts";

const { sha1, sha256 } = HASH_PROTOCOL;

interface KnownAnswer {
    readonly name: string;
    readonly hash: HashProtocol;
    readonly hlak: string;
    readonly nonce: string;
    readonly certificate: CertificateHashes;
    readonly cmk: string;
    readonly mac: string;
}

const counting = Array.from({ length: 32 }, (_, index) => index.toString(16).padStart(2, "0")).join("");
// The MPPE keys of the user "User" with the password "clientPass", RFC 2759 §9.2 and RFC 3079 §3.5.3, on the server's side.
const sampleKeys = {
    receive: fromHex("D5F0E9521E3EA9589645E86051C82226"),
    send: fromHex("8B7CDC149B993A1BA118CB153F56DCCB"),
};
const sampleHlak = toHex(sampleKeys.receive) + toHex(sampleKeys.send);
const NO_HASH = new Uint8Array(0);

const KNOWN_ANSWERS: readonly KnownAnswer[] = [
    {
        name: "[MS-SSTP] 4.7, SHA-256",
        hash: sha256,
        hlak: "2A1BB40D55AB0F5EF32F06F2B3CC73C48FD3FAC41D7A1315A19228D9024CA164",
        nonce: "412B489AEBD7ECC7D08966F26BE7CD72B231A0E9210D7C91B308862B0344C435",
        certificate: {
            sha1: NO_HASH,
            sha256: fromHex("7993EF314C493DACE9F02D60E7E61C84B6690AAFE9D7AEEA92CBBE8AD599422D"),
        },
        cmk: "ECF59AC9FE155CF0A9E7D66ADC1B363C1AD7BA91A9217F0CEC2A534298828DF6",
        mac: "52A68EFD8CFFBF52770B8F0FE8EC73716583AF6D611EB6D179B3B20840985449",
    },
    {
        name: "[MS-SSTP] 4.7, SHA-1",
        hash: sha1,
        hlak: "4B3128F43925D9006EEFB1C4E86515A1D88E56BAB3CA2BDF0373B7F5A8A13B19",
        nonce: "0F1A2D58D4A3E3000FAD3CE4906E07B707AA9E441CCEAC5CBD7B2CC1C9D86CDF",
        certificate: { sha1: fromHex("5826B629BDA59B8E6FD8DCD2622FD34C534805A5"), sha256: NO_HASH },
        cmk: "A98B862A38CC7E224B42CD128586ACB22F0BD1E9",
        mac: "69915DD583D8062FEF16F61DB2F03290EC27CB6C",
    },
    {
        name: "RFC 2759 sample user, SHA-256",
        hash: sha256,
        hlak: sampleHlak,
        nonce: counting,
        certificate: hashesOf("cert"),
        cmk: "150707E682B16F4CA9430560C562894AFD10050DB4182D35C3E9E06284445271",
        mac: "D6464ABD532F1779FA83D40A5B5DB0D5B27A5B4B3E196AAAC1BE06F54675DC7A",
    },
    {
        name: "RFC 2759 sample user, SHA-1",
        hash: sha1,
        hlak: sampleHlak,
        nonce: counting,
        certificate: hashesOf("cert"),
        cmk: "3AFBFF0BA79DD9743BD09949FA99F9D0C92D3698",
        mac: "7E5235AD21AF7AD14659BC1183BC4F1A5B4E2AD8",
    },
];

for (const answer of KNOWN_ANSWERS) {
    test(`known answer: ${answer.name}`, () => {
        const hlak = fromHex(answer.hlak);
        const { hash, certificate } = answer;
        const packet = encodeCallConnected(digests, {
            hashProtocol: hash,
            nonce: fromHex(answer.nonce),
            certificate,
            hlak,
        });
        const padding = "00".repeat(hash === sha1 ? 12 : 0);
        assert.equal(toHex(compoundMacKey(digests, hash, hlak)), answer.cmk.toLowerCase());
        assert.equal(toHex(packet.subarray(80)), answer.mac.toLowerCase() + padding);
        assert.equal(
            toHex(packet.subarray(0, 80)),
            `1001007000040001000300680000000${hash}${answer.nonce.toLowerCase()}` +
                toHex(hash === sha1 ? certificate.sha1 : certificate.sha256) +
                padding,
        );
        assert.ok(verifyCompoundMac(digests, hash, hlak, packet));
    });
}

describe("HLAK", () => {
    test("MS-CHAPv2: 16 + 16", () => {
        assert.equal(toHex(hlakFromMppeKeys(sampleKeys.receive, sampleKeys.send)), sampleHlak.toLowerCase());
    });

    test("EAP: the first 32, whatever follows", () => {
        const receive = new Uint8Array(32).fill(1);
        assert.deepEqual(hlakFromMppeKeys(receive, new Uint8Array(32).fill(2)), receive);
        assert.deepEqual(hlakFromMppeKeys(new Uint8Array(40).fill(1), new Uint8Array(0)), receive);
    });

    test("shorter: zeros at the end", () => {
        assert.equal(toHex(hlakFromMppeKeys(fromHex("aabb"), fromHex("cc"))), `aabbcc${"00".repeat(29)}`);
    });

    test("any other length than 32 is a defect", () => {
        assert.throws(() => compoundMacKey(digests, sha256, new Uint8Array(16)), { code: "INVARIANT" });
    });

    test("methods without keys: 32 zeros, which still bind nonce and certificate", () => {
        assert.deepEqual(KEYLESS_HLAK, new Uint8Array(32));
        assert.ok(verifyCompoundMac(digests, sha1, KEYLESS_HLAK, sample({ hash: sha1, hlak: KEYLESS_HLAK })));
    });
});

const NONCE = fromHex(counting);
const current = hashesOf("current certificate");
const previous = hashesOf("previous certificate");

interface Sample {
    readonly hash?: HashProtocol;
    readonly certificate?: CertificateHashes;
    readonly hlak?: Uint8Array;
}

function sample({ hash = sha256, certificate = current, hlak = fromHex(sampleHlak) }: Sample = {}): Uint8Array {
    return encodeCallConnected(digests, { hashProtocol: hash, nonce: NONCE, certificate, hlak });
}

function check(packet: Uint8Array, hashProtocols = 3, certificates = [current]): BindingFailure | undefined {
    const message = decodeMessage(packet);
    assert.ok(message.kind === "call-connected");
    return checkBinding(message.binding, { hashProtocols, nonce: NONCE, certificates });
}

/** `packet` with the lowest bit of the octet at `at` inverted. */
const flipped = (packet: Uint8Array, at: number): Uint8Array => packet.with(at, (packet[at] ?? 0) ^ 1);

describe("what is checked without the key", () => {
    test("a correct binding with either hash", () => {
        assert.equal(check(sample()), undefined);
        assert.equal(check(sample({ hash: sha1 })), undefined);
    });

    test("hash algorithm: one bit, and one that was offered", () => {
        assert.equal(check(sample({ hash: sha1 }), 2), "hash-algorithm");
        assert.equal(check(sample().with(15, 3)), "hash-algorithm");
        assert.equal(check(sample().with(15, 0)), "hash-algorithm");
        assert.equal(check(sample().with(15, 4), 7), "hash-algorithm");
    });

    test("nonce: every octet counts", () => {
        for (let at = 16; at < 48; at += 1) assert.equal(check(flipped(sample(), at)), "nonce");
    });

    test("certificate hash: every octet counts, the padding of SHA-1 too", () => {
        for (let at = 48; at < 80; at += 1) {
            assert.equal(check(flipped(sample(), at)), "certificate-hash");
            assert.equal(check(flipped(sample({ hash: sha1 }), at)), "certificate-hash");
        }
    });

    test("any certificate of the set will do, with either hash; one outside does not", () => {
        for (const hash of [sha1, sha256] as const) {
            assert.equal(check(sample({ hash, certificate: previous }), 3, [current, previous]), undefined);
            assert.equal(check(sample({ hash, certificate: previous }), 3, [current]), "certificate-hash");
        }
        assert.equal(check(sample(), 3, []), "certificate-hash");
    });
});

describe("compound MAC", () => {
    test("covers every octet of the packet, and its own padding", () => {
        for (const hash of [sha1, sha256] as const) {
            const packet = sample({ hash });
            for (let at = 0; at < packet.length; at += 1) {
                const changed = flipped(packet, at);
                assert.equal(verifyCompoundMac(digests, hash, fromHex(sampleHlak), changed), false, `octet ${at}`);
            }
        }
    });

    test("is computed over reserved bits as they were received", () => {
        const hlak = fromHex(sampleHlak);
        const packet = sample();
        packet[1] = 0xff;
        packet.set(compoundMac(digests, sha256, hlak, packet), 80);
        assert.ok(verifyCompoundMac(digests, sha256, hlak, packet));
        assert.equal(check(packet), undefined);
    });

    test("does not depend on what its own field holds, and leaves the packet alone", () => {
        const packet = sample();
        const before = toHex(packet);
        const mac = compoundMac(digests, sha256, fromHex(sampleHlak), packet);
        assert.deepEqual(mac, packet.slice(80));
        assert.equal(toHex(packet), before);
    });

    test("leaves a Buffer alone, too, whose slice() is no copy", () => {
        const packet = Buffer.from(sample());
        const before = packet.toString("hex");
        assert.ok(verifyCompoundMac(digests, sha256, fromHex(sampleHlak), packet));
        assert.equal(packet.toString("hex"), before);
    });

    test("a wrong key does not pass, and neither do the keys in the wrong order", () => {
        const swapped = hlakFromMppeKeys(sampleKeys.send, sampleKeys.receive);
        assert.equal(verifyCompoundMac(digests, sha256, swapped, sample()), false);
        assert.equal(verifyCompoundMac(digests, sha256, KEYLESS_HLAK, sample()), false);
        fc.assert(
            fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (hlak) => {
                fc.pre(toHex(hlak) !== sampleHlak.toLowerCase());
                assert.equal(verifyCompoundMac(digests, sha256, hlak, sample()), false);
            }),
            { numRuns: 20 },
        );
    });

    test("a packet of another size is a defect", () => {
        assert.throws(() => compoundMac(digests, sha256, KEYLESS_HLAK, new Uint8Array(111)), { code: "INVARIANT" });
        assert.throws(
            () =>
                encodeCallConnected(digests, {
                    hashProtocol: sha256,
                    nonce: new Uint8Array(31),
                    certificate: current,
                    hlak: KEYLESS_HLAK,
                }),
            { code: "INVARIANT" },
        );
    });
});

test("a client takes the stronger hash that is offered", () => {
    assert.equal(strongestHashProtocol(3), sha256);
    assert.equal(strongestHashProtocol(2), sha256);
    assert.equal(strongestHashProtocol(1), sha1);
    assert.equal(strongestHashProtocol(4), undefined);
});
