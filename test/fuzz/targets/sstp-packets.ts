// The SSTP stream: packets, control messages, every attribute.
import assert from "node:assert/strict";
import { concatBytes, copyBytes, equalBytes } from "@postern/bytes";
import {
    ATTRIBUTE_ID,
    decodeMessage,
    decodePacket,
    encodeControlPacket,
    encodeDataPacket,
    encodeMessage,
    type Message,
    PacketReader,
    SstpError,
    STATUS,
} from "@postern/sstp";
import type { FuzzTarget } from "../fuzz-target.ts";
import { Input, outcomeOf, pieces } from "../properties.ts";

const nonce = new Uint8Array(32).fill(0xa5);
const info = {
    attributeId: ATTRIBUTE_ID.encapsulatedProtocolId,
    status: STATUS.valueNotSupported,
    value: Uint8Array.of(0, 2),
};

const MESSAGES: readonly Message[] = [
    { kind: "call-connect-request" },
    { kind: "call-connect-ack", request: { hashProtocols: 3, nonce } },
    { kind: "call-connect-nak", statusInfos: [info, { ...info, attributeId: 9 }] },
    { kind: "call-connected", binding: { hashProtocol: 2, nonce, certificateHash: nonce, compoundMac: nonce } },
    { kind: "call-abort", statusInfo: { ...info, value: new Uint8Array(0) } },
    { kind: "call-disconnect", statusInfo: undefined },
    { kind: "call-disconnect-ack" },
    { kind: "echo-request" },
    { kind: "echo-response" },
];

/** How the stream is cut comes first: four sizes. */
const stream = (...packets: readonly Uint8Array[]): Uint8Array => concatBytes(Uint8Array.of(5, 1, 64, 3), ...packets);

function* seeds(): Iterable<Uint8Array> {
    for (const message of MESSAGES) yield stream(encodeMessage(message));
    yield stream(...MESSAGES.map(encodeMessage), encodeDataPacket(Uint8Array.of(0xff, 3, 0xc0, 0x21, 1, 1, 0, 4)));
    for (const id of Object.values(ATTRIBUTE_ID)) {
        yield stream(
            encodeControlPacket(1, [
                { id, value: new Uint8Array(2) },
                { id, value: new Uint8Array(8) },
            ]),
        );
    }
    yield stream(encodeControlPacket(0xffff, []), encodeDataPacket(new Uint8Array(0)));
}

export const target: FuzzTarget = {
    maxLength: 2048,
    seeds,
    run(bytes) {
        const input = new Input(bytes);
        const sizes = input.take(4);
        const octets = input.rest();
        const whole = read([octets]);
        assert.deepEqual(read(pieces(octets, sizes)), whole);
        checkPackets(octets, whole.packets);
    },
};

interface Reading {
    readonly packets: readonly { readonly kind: "control" | "data"; readonly octets: Uint8Array }[];
    readonly error: string | undefined;
}

/** The memory of each chunk is used again, as a socket may do. */
function read(chunks: Iterable<Uint8Array>): Reading {
    const packets: { kind: "control" | "data"; octets: Uint8Array }[] = [];
    const reader = new PacketReader({
        onControlPacket: (bytes, start, end) =>
            void packets.push({ kind: "control", octets: copyBytes(bytes, start, end) }),
        onDataPacket: (bytes, start, end) => void packets.push({ kind: "data", octets: copyBytes(bytes, start, end) }),
    });
    const outcome = outcomeOf(() => {
        for (const chunk of chunks) {
            const borrowed = copyBytes(chunk);
            reader.push(borrowed);
            borrowed.fill(0xee);
        }
    }, isSstpError);
    return { packets, error: "error" in outcome ? outcome.error.code : undefined };
}

const isSstpError = (error: unknown): boolean => error instanceof SstpError;

/** The decoder of single packets says the same as the reader of the stream. */
function checkPackets(octets: Uint8Array, packets: Reading["packets"]): void {
    let at = 0;
    for (const packet of packets) {
        const decoded = decodePacket(octets, at);
        assert.ok(decoded !== undefined);
        assert.equal(decoded.kind, packet.kind);
        const expected = decoded.kind === "control" ? octets.subarray(at, at + decoded.size) : decoded.body;
        assert.ok(equalBytes(packet.octets, expected));
        at += decoded.size;
        if (packet.kind === "control") checkMessage(packet.octets);
    }
}

function checkMessage(packet: Uint8Array): void {
    const outcome = outcomeOf(() => decodeMessage(packet), isSstpError);
    if ("error" in outcome) return checkAnswer(outcome.error as SstpError); // `isSstpError` said so
    const message = outcome.value;
    assert.ok(message !== undefined);
    // Only servers send these, a few attributes each.
    if (message.kind === "call-connect-nak" && message.statusInfos.length > 16) return;
    const encoded = encodeMessage(message);
    assert.deepEqual(decodeMessage(encoded), message);
    // A request may have Status Info beside what it must have; in all others every octet has a meaning.
    if (message.kind !== "call-connect-request") assert.equal(encoded.length, packet.length);
}

/** Whatever a client does wrong can be said in a NAK. */
function checkAnswer({ answer }: SstpError): void {
    assert.ok(answer !== undefined);
    const nak = encodeMessage({ kind: "call-connect-nak", statusInfos: answer.statusInfos });
    assert.equal(decodeMessage(nak).kind, "call-connect-nak");
}
