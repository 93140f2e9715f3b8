import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isRouterSolicitation, parseIpv6, routerSolicitation } from "@postern/ip";
import { slowParse, transportChecksumResidue } from "./slow-model.ts";

const SOURCE = parseIpv6("fe80::2");

/** A packet with another message than a solicitation has, and a checksum that is right. */
function packetOf(message: readonly number[], { source = SOURCE, hopLimit = 255, nextHeader = 58 } = {}): Uint8Array {
    const packet = Buffer.concat([routerSolicitation(source).subarray(0, 40), Buffer.from(message)]);
    packet.writeUInt16BE(message.length, 4);
    packet.set([nextHeader, hopLimit], 6);
    packet.writeUInt16BE(0, 42);
    packet.writeUInt16BE(transportChecksumResidue(slowParse(packet) ?? assert.fail()), 42);
    return packet;
}

const HEADER = [133, 0, 0, 0, 0, 0, 0, 0];
const LINK_LAYER_ADDRESS = [1, 1, 2, 0, 0, 0, 0, 1];

test("ours is one: to all routers, with the hop limit of a neighbor and a checksum", () => {
    const packet = routerSolicitation(SOURCE);
    const parsed = slowParse(packet);
    assert.equal(Buffer.from(packet.subarray(0, 8)).toString("hex"), "6000000000083aff");
    assert.deepEqual(parsed?.destination, Buffer.from(parseIpv6("ff02::2")));
    assert.deepEqual([...(parsed.payload?.subarray(0, 2) ?? [])], [133, 0]);
    assert.equal(transportChecksumResidue(parsed), 0);
    assert.equal(isRouterSolicitation(packet), true);
    assert.equal(isRouterSolicitation(Buffer.concat([packet, Buffer.alloc(7, 0xaa)])), true, "with padding");
});

test("RFC 4861 §6.1.1: what is valid, and what is discarded", () => {
    const none = new Uint8Array(16);
    assert.equal(isRouterSolicitation(packetOf(HEADER)), true);
    assert.equal(isRouterSolicitation(packetOf([...HEADER, ...LINK_LAYER_ADDRESS])), true);
    assert.equal(isRouterSolicitation(packetOf([...HEADER, 200, 1, 0, 0, 0, 0, 0, 0], { source: none })), true);
    const wrong = [
        packetOf(HEADER, { hopLimit: 254 }),
        packetOf(HEADER, { nextHeader: 17 }),
        packetOf([133, 1, ...HEADER.slice(2)]),
        packetOf([134, 0, ...HEADER.slice(2)]),
        packetOf(HEADER.slice(0, 7)),
        packetOf([...HEADER, 1]),
        packetOf([...HEADER, 1, 0, 0, 0, 0, 0, 0, 0]),
        packetOf([...HEADER, 1, 2, 0, 0, 0, 0, 0, 0]),
        packetOf([...HEADER, ...LINK_LAYER_ADDRESS], { source: none }),
        new Uint8Array(0),
    ];
    for (const [index, packet] of wrong.entries()) assert.equal(isRouterSolicitation(packet), false, `${index}`);
});

test("one changed bit and it is none, but for the flow label and padding", () => {
    const sent = routerSolicitation(SOURCE);
    fc.assert(
        fc.property(fc.nat(sent.length * 8 - 1), (bit) => {
            const packet = Uint8Array.from(sent);
            packet[bit >> 3] = (packet[bit >> 3] ?? 0) ^ (1 << (bit & 7));
            const isUnread = bit >> 3 < 4 && bit >> 3 > 0;
            const isClass = bit >> 3 === 0 && (bit & 7) < 4;
            assert.equal(isRouterSolicitation(packet), isUnread || isClass);
        }),
        { numRuns: 400 },
    );
});
