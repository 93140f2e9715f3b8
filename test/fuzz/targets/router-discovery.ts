// What a client sends over IPv6 to the worker itself, and what a server sends to our client: solicitations, pings, advertisements.  The
// first octet chooses the source, the second the destination, the others are an ICMPv6 message, whose checksum is made right.
import assert from "node:assert/strict";
import { concatBytes } from "@postern/bytes";
import {
    formatIpv6,
    ipv6CidrContains,
    isRouterSolicitation,
    parseCidr,
    parseIpv6,
    readRouterAdvertisement,
    routerAdvertisement,
    routerSolicitation,
} from "@postern/ip";
import { slowParse, transportChecksumResidue } from "../../../libs/ip/test/slow-model.ts";
import { Ipv6Link } from "../../../services/session-worker/src/ipv6-link.ts";
import type { FuzzTarget } from "../fuzz-target.ts";

const PREFIX = "fd91:0:0:5::/64";
const OWN_SOURCES = ["fe80::2", "fd91:0:0:5::7", "::"];
const SOURCES = [...OWN_SOURCES, "fe80::3", "fd91:0:0:6::7", "2001:db8::1", "ff02::1"];
const DESTINATIONS = ["fe80::1", "ff02::2", "ff02::1", "fe80::9", "fd91::1"];
const SMALLEST_SOLICITATION = 8;

function packetOf(source: string, destination: string, message: Uint8Array): Uint8Array {
    const header = Buffer.from("6000000000003aff", "hex");
    header.writeUInt16BE(message.length, 4);
    const packet = Buffer.concat([header, parseIpv6(source), parseIpv6(destination), message]);
    if (message.length < 4) return packet;
    packet.writeUInt16BE(0, 42);
    packet.writeUInt16BE(transportChecksumResidue(slowParse(packet) ?? assert.fail()), 42);
    return packet;
}

function* seeds(): Iterable<Uint8Array> {
    const ends = [parseIpv6("fe80::1"), parseIpv6("ff02::1")] as const;
    const prefix = parseCidr(PREFIX);
    assert.ok(prefix.version === 6);
    const advertisement = routerAdvertisement(...ends, {
        hopLimit: 64,
        otherConfiguration: true,
        routerLifetime: 9_000,
        mtu: 1_400,
        prefixes: [{ prefix, validLifetime: 2, preferredLifetime: 1 }],
        nameServers: { addresses: [parseIpv6("fd91::53")], lifetime: 3 },
    });
    const messages = [
        advertisement.subarray(40),
        routerSolicitation(ends[0]).subarray(40),
        concatBytes(routerSolicitation(ends[0]).subarray(40), Uint8Array.of(1, 1, 2, 0, 0, 0, 0, 1)),
        Uint8Array.of(128, 0, 0, 0, 0, 1, 0, 2, 7, 7),
        // Neighbor solicitation, of somebody who looks for a duplicate of its address.
        concatBytes(Uint8Array.of(135, 0, 0, 0, 0, 0, 0, 0), parseIpv6("fd91:0:0:5::7")),
    ];
    for (const [index, message] of messages.entries()) yield concatBytes(Uint8Array.of(index, index), message);
}

export const target: FuzzTarget = {
    maxLength: 300,
    seeds,
    run(bytes) {
        const [from = 0, to = 0] = bytes;
        const source = SOURCES[from % SOURCES.length] ?? "::";
        const destination = DESTINATIONS[to % DESTINATIONS.length] ?? "::";
        const packet = packetOf(source, destination, bytes.subarray(2));
        assert.equal(isRouterSolicitation(packet), isSolicitationSlowly(source, bytes.subarray(2)));
        assertAdvertisement(packet);
        assertAnswered(packet, source, destination);
    },
};

/** RFC 4861 §6.1.1 by the book. */
function isSolicitationSlowly(source: string, message: Uint8Array): boolean {
    if (message.length < SMALLEST_SOLICITATION || message[0] !== 133 || message[1] !== 0) return false;
    let rest = [...message.subarray(SMALLEST_SOLICITATION)];
    while (rest.length > 0) {
        const [type, units = 0] = rest;
        if (units === 0 || rest.length < 8 * units || (type === 1 && source === "::")) return false;
        rest = rest.slice(8 * units);
    }
    return true;
}

/** What was read says the same when it is written and read again. */
function assertAdvertisement(packet: Uint8Array): void {
    const read = readRouterAdvertisement(packet);
    if (read === undefined) return;
    assert.equal(packet[40], 134);
    for (const { prefix } of read.prefixes) assert.ok(ipv6CidrContains(prefix, prefix.network));
    assert.notEqual(read.nameServers?.addresses.length, 0);
    const again = routerAdvertisement(packet.subarray(8, 24), packet.subarray(24, 40), read);
    assert.deepEqual(readRouterAdvertisement(again), read);
}

/** One answer at most, from us to who asked, and none for who is not the client. */
function assertAnswered(packet: Uint8Array, source: string, destination: string): void {
    const sent: Uint8Array[] = [];
    const link = new Ipv6Link({
        prefix: PREFIX,
        dns: [],
        mtu: 1_400,
        interfaceIds: () => ({ server: "0000000000000001", client: "0000000000000002" }),
        send: (answer) => void sent.push(answer),
    });
    const reason = link.receive(packet);
    assert.equal(sent.length, reason === undefined ? 1 : 0);
    if (!OWN_SOURCES.includes(source)) assert.equal(reason, "foreign-source");
    for (const answer of sent) {
        const parsed = slowParse(answer) ?? assert.fail("no packet");
        assert.equal(transportChecksumResidue(parsed), 0);
        assert.equal(formatIpv6(parsed.source), "fe80::1");
        assert.equal(formatIpv6(parsed.destination), source === "::" ? "ff02::1" : source);
        const isAdvertisement = parsed.payload?.[0] === 134;
        assert.equal(isAdvertisement, isRouterSolicitation(packet));
        if (!isAdvertisement) assert.deepEqual([parsed.payload?.[0], destination], [129, "fe80::1"]);
    }
}
