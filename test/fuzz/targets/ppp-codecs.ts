// The packets of PPP by themselves: frame, control packet, options, PAP, CHAP, MS-CHAPv2, Identification.  The first octet
// says what the rest is.
import assert from "node:assert/strict";
import { concatBytes, decodeLatin1, encodeLatin1, equalBytes } from "@postern/bytes";
import {
    decodeFrame,
    decodeMschapFailure,
    decodeMschapv2Response,
    encodeCompressedFrame,
    encodeFrame,
    encodeMschapFailure,
    encodeMschapv2Response,
    ntPasswordHash,
    PppError,
    verifyMschapv2,
} from "@postern/ppp";
import { decodeChapValue, encodeChapValue } from "../../../libs/ppp/src/chap.ts";
import { decodeControlPacket, encodeControlPacket } from "../../../libs/ppp/src/control-packet.ts";
import { identificationMessages, withIdentification } from "../../../libs/ppp/src/identification.ts";
import { decodeOptions, encodeOptions } from "../../../libs/ppp/src/options.ts";
import { decodePapMessage, decodePapRequest, encodePapMessage, encodePapRequest } from "../../../libs/ppp/src/pap.ts";
import { DIGESTS } from "../../../libs/ppp/test/support/digests.ts";
import type { FuzzTarget } from "../fuzz-target.ts";
import { outcomeOf, valueOf } from "../properties.ts";

/** What was read is written again, octet for octet; only padding behind it may be missing. */
function roundTrip<T>(decode: (bytes: Uint8Array) => T, encode: (value: T) => Uint8Array) {
    return (bytes: Uint8Array): void => {
        const value = valueOf(outcomeOf(() => decode(bytes), isPppError));
        if (value === undefined) return;
        const encoded = encode(value);
        assert.ok(equalBytes(encoded, bytes.subarray(0, encoded.length)), "another packet than was read");
        assert.deepEqual(decode(encoded), value);
    };
}

const isPppError = (error: unknown): boolean => error instanceof PppError;

const PASSWORD_HASH = ntPasswordHash("clientPass");
const CHALLENGE = Uint8Array.from({ length: 16 }, (_, index) => index);

const CODECS: readonly ((bytes: Uint8Array) => void)[] = [
    (bytes) => {
        const frame = valueOf(outcomeOf(() => decodeFrame(bytes), isPppError));
        if (frame === undefined) return;
        assert.deepEqual(decodeFrame(encodeFrame(frame.protocol, frame.payload)), frame);
        // What may not be compressed: 0xff first would be taken for an address (RFC 1661 §6.5).
        const compressed = encodeCompressedFrame(frame.protocol, frame.payload);
        if (compressed[0] !== 0xff && (frame.protocol & 0x0100) === 0) assert.deepEqual(decodeFrame(compressed), frame);
    },
    roundTrip(decodeControlPacket, encodeControlPacket),
    roundTrip(decodeOptions, encodeOptions),
    roundTrip(decodePapRequest, encodePapRequest),
    (bytes) => {
        const message = valueOf(outcomeOf(() => decodePapMessage(bytes), isPppError));
        if (message === undefined) return;
        const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(message);
        const isUtf8 = equalBytes(new TextEncoder().encode(text), message);
        if (isUtf8) assert.deepEqual(decodePapMessage(encodePapMessage(text)), message);
    },
    roundTrip(decodeChapValue, encodeChapValue),
    (bytes) => {
        const response = valueOf(outcomeOf(() => decodeMschapv2Response(bytes), isPppError));
        if (response === undefined) return;
        assert.deepEqual(decodeMschapv2Response(encodeMschapv2Response(response)), response);
        const attempt = { user: decodeLatin1(bytes.subarray(0, 8)), challenge: CHALLENGE, response: bytes };
        assert.equal(verifyMschapv2(DIGESTS, PASSWORD_HASH, attempt), undefined, "a response without the password");
    },
    (bytes) => {
        const failure = valueOf(outcomeOf(() => decodeMschapFailure(decodeLatin1(bytes)), isPppError));
        if (failure === undefined) return;
        assert.ok(failure.message.length <= bytes.length);
        const again = decodeMschapFailure(encodeMschapFailure(failure, CHALLENGE));
        assert.deepEqual(again, { ...failure, challenge: failure.challenge ?? CHALLENGE });
    },
    (bytes) => {
        const known = withIdentification({}, bytes);
        const again = identificationMessages(known).reduce(withIdentification, {});
        assert.deepEqual(again, known);
    },
];

function* seeds(): Iterable<Uint8Array> {
    const samples: readonly (readonly Uint8Array[])[] = [
        [
            encodeFrame(0xc021, Uint8Array.of(1, 1, 0, 4)),
            encodeCompressedFrame(0x21, Uint8Array.of(0x45)),
            Uint8Array.of(0xff, 3, 0x21),
        ],
        [
            encodeControlPacket({ code: 1, identifier: 7, data: Uint8Array.of(1, 4, 5, 220) }),
            Uint8Array.of(9, 1, 0, 4, 0, 0),
        ],
        [
            encodeOptions([
                { type: 1, value: Uint8Array.of(5, 220) },
                { type: 7, value: new Uint8Array(0) },
            ]),
        ],
        [encodePapRequest({ user: encodeLatin1("user"), password: encodeLatin1("password") })],
        [encodePapMessage("Grüße")],
        [encodeChapValue({ value: CHALLENGE, name: encodeLatin1("srv") })],
        [encodeMschapv2Response({ peerChallenge: CHALLENGE, ntResponse: new Uint8Array(24).fill(0x5a) })],
        [
            encodeLatin1(encodeMschapFailure({ error: 691, retry: true, message: "no" }, CHALLENGE)),
            encodeLatin1("E=648 R=0 V=3"),
        ],
        [encodeLatin1("MSRASV5.20"), encodeLatin1("MSRAS-0-TESTER"), CHALLENGE],
    ];
    for (const [index, inputs] of samples.entries())
        for (const input of inputs) yield concatBytes(Uint8Array.of(index), input);
}

export const target: FuzzTarget = {
    maxLength: 600,
    seeds,
    run: (bytes) => CODECS[(bytes[0] ?? 0) % CODECS.length]?.(bytes.subarray(1)),
};
