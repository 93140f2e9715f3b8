import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NO_UPPER_LAYER, findUpperLayer, ipPacketSize, upperLayerOffset, upperLayerProtocol } from "@postern/ip";
import { buildPacket, hostileBytes, packetsOf } from "./packet-arbitraries.ts";
import { slowParse } from "./slow-model.ts";

test("size and upper layer of any bytes are those of the slow model, and nothing throws", () => {
    fc.assert(
        fc.property(hostileBytes, fc.nat(3), (bytes, at) => {
            const shifted = new Uint8Array([...new Uint8Array(at), ...bytes]);
            const expected = slowParse(bytes);
            const found = findUpperLayer(shifted, at, ipPacketSize(shifted, at, bytes.length));
            assert.equal(ipPacketSize(shifted, at, bytes.length) > 0, expected !== undefined);
            if (expected?.payload === undefined) assert.equal(found, NO_UPPER_LAYER);
            else {
                assert.equal(upperLayerProtocol(found), expected.protocol);
                const size = ipPacketSize(shifted, at, bytes.length);
                assert.equal(size - upperLayerOffset(found), expected.payload.length);
            }
        }),
        { numRuns: 2_000 },
    );
});

test("bytes after the packet are padding and bytes missing make it invalid", () => {
    fc.assert(
        fc.property(
            packetsOf(17, fc.uint8Array({ maxLength: 30 })),
            fc.integer({ min: -70, max: 20 }),
            (spec, change) => {
                const packet = buildPacket(spec);
                const present = new Uint8Array(Math.max(packet.length + change, 0));
                present.set(packet.subarray(0, present.length));
                assert.equal(ipPacketSize(present, 0, present.length), change < 0 ? 0 : packet.length);
            },
        ),
    );
});

test("the upper layer is not looked for behind a ninth extension header or in a later fragment", () => {
    const base = { version: 6, source: new Uint8Array(16), destination: new Uint8Array(16), fragment: 0 } as const;
    const udp = { protocol: 17, payload: new Uint8Array(8) };
    const eight = buildPacket({ ...base, ...udp, extra: 8 });
    assert.equal(upperLayerProtocol(findUpperLayer(eight, 0, eight.length)), 17);
    const nine = buildPacket({ ...base, ...udp, extra: 9 });
    assert.equal(findUpperLayer(nine, 0, nine.length), NO_UPPER_LAYER);
    for (const [fragmentField, isFirst] of [
        [0x0001, true],
        [0x0008, false],
    ] as const) {
        const payload = Uint8Array.of(
            17,
            0,
            fragmentField >> 8,
            fragmentField & 0xff,
            0,
            0,
            0,
            1,
            ...new Uint8Array(8),
        );
        const fragment = buildPacket({ ...base, protocol: 44, payload, extra: 0 });
        assert.equal(findUpperLayer(fragment, 0, fragment.length) !== NO_UPPER_LAYER, isFirst);
    }
});

test("an extension header that is cut short at the very end of the bytes is not read past", () => {
    const base = {
        version: 6,
        source: new Uint8Array(16),
        destination: new Uint8Array(16),
        extra: 0,
        fragment: 0,
    } as const;
    for (const protocol of [0, 43, 44, 51, 60]) {
        for (let size = 0; size < 8; size += 1) {
            const packet = buildPacket({ ...base, protocol, payload: new Uint8Array(size) });
            assert.equal(findUpperLayer(packet, 0, packet.length), NO_UPPER_LAYER);
        }
    }
});
