// What a RADIUS server sends over TLS.
import assert from "node:assert/strict";
import { concatBytes, toHex } from "@postern/bytes";
import { CODE, encodePacket, PacketStream, RadiusError, textAttribute } from "@postern/radius";
import type { FuzzTarget } from "../fuzz-target.ts";
import { pieces } from "../properties.ts";

/** How the stream is cut comes first: four sizes. */
const CUTS = 4;
const AUTHENTICATOR = new Uint8Array(16).fill(7);

function* seeds(): Iterable<Uint8Array> {
    const packet = (...texts: readonly string[]): Uint8Array =>
        encodePacket({
            code: CODE.accessAccept,
            identifier: texts.length,
            authenticator: AUTHENTICATOR,
            attributes: texts.map((text) => textAttribute(18, text)),
        });
    yield concatBytes(Uint8Array.of(1, 2, 3, 4), packet());
    yield concatBytes(Uint8Array.of(7, 0, 19, 1), packet("hello"), packet(), packet("a", "bc", "def"));
}

interface Reading {
    readonly packets: readonly string[];
    readonly failed: boolean;
}

/** The memory of each chunk is used again, as a socket may do. */
function read(chunks: Iterable<Uint8Array>): Reading {
    const stream = new PacketStream();
    const packets: string[] = [];
    try {
        for (const chunk of chunks) {
            const borrowed = chunk.slice();
            for (const packet of stream.push(borrowed)) packets.push(toHex(packet));
            borrowed.fill(0xee);
        }
    } catch (error) {
        if (!(error instanceof RadiusError)) throw error;
        return { packets, failed: true };
    }
    return { packets, failed: false };
}

export const target: FuzzTarget = {
    maxLength: 4_200,
    seeds,
    run(bytes) {
        const stream = bytes.subarray(CUTS);
        const whole = read([stream]);
        assert.deepEqual(read(pieces(stream, bytes.subarray(0, CUTS))), whole);
        const all = whole.packets.join("");
        assert.ok(toHex(stream).startsWith(all), "packets are what came");
        for (const packet of whole.packets) assert.equal(Number.parseInt(packet.slice(4, 8), 16), packet.length / 2);
    },
};
