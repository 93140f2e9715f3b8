// What a client sends to a DHCP server: the first octet chooses the destination, the others are a DHCP message.
import assert from "node:assert/strict";
import { concatBytes } from "@postern/bytes";
import { type DhcpFacts, formatIpv4, parseCidr, parseIpv4, readDhcpInform, udpPacket } from "@postern/ip";
import { decodeDhcp, encodeDhcp } from "../../../libs/ip/src/dhcp-message.ts";
import { udpData } from "../../../libs/ip/src/udp-packet.ts";
import { slowChecksum, slowParse, transportChecksumResidue } from "../../../libs/ip/test/slow-model.ts";
import { windowsInform } from "../../../libs/ip/test/windows-inform.ts";
import { Ipv4Link } from "../../../services/session-worker/src/ipv4-link.ts";
import type { FuzzTarget } from "../fuzz-target.ts";

const ADDRESS = "10.91.0.5";
const GATEWAY = "10.91.0.1";
const DESTINATIONS = ["255.255.255.255", GATEWAY, "10.91.0.2"];
const MTU = 1_400;

const route = parseCidr("10.0.0.0/8");
const FACTS: DhcpFacts = {
    server: parseIpv4(GATEWAY),
    nameServers: [parseIpv4("10.0.0.53")],
    netbiosServers: [],
    domain: "corp.example",
    routes: route.version === 4 ? [route] : [],
};

function* seeds(): Iterable<Uint8Array> {
    const question = udpData(windowsInform(ADDRESS), 67) ?? assert.fail();
    const message = decodeDhcp(question) ?? assert.fail();
    const long = new Map([...message.options, [61, new Uint8Array(300).fill(7)] as const]);
    for (const [index, data] of [question, encodeDhcp(message), encodeDhcp({ ...message, options: long })].entries()) {
        yield concatBytes(Uint8Array.of(index), data);
    }
}

export const target: FuzzTarget = {
    maxLength: 700,
    seeds,
    run(bytes) {
        const destination = DESTINATIONS[(bytes[0] ?? 0) % DESTINATIONS.length] ?? GATEWAY;
        const data = bytes.subarray(1);
        const message = decodeDhcp(data);
        if (message !== undefined) assert.deepEqual(decodeDhcp(encodeDhcp(message)), message);
        const ends = { source: parseIpv4(ADDRESS), sourcePort: 68, destinationPort: 67 };
        assertAnswered(udpPacket({ ...ends, destination: parseIpv4(destination) }, data), destination);
    },
};

/** One answer, from us to who asked, to an inform to us or everybody; else none. */
function assertAnswered(packet: Uint8Array, destination: string): void {
    const sent: Uint8Array[] = [];
    const link = new Ipv4Link({ facts: FACTS, mtu: MTU, now: () => 0, send: (answer) => void sent.push(answer) });
    const reason = link.receive(packet);
    const isInform = readDhcpInform(packet, FACTS.server) !== undefined;
    assert.deepEqual([sent.length, reason], isInform ? [1, undefined] : [0, "not-routed"]);
    if (isInform) assert.notEqual(destination, "10.91.0.2");
    for (const answer of sent) {
        const parsed = slowParse(answer) ?? assert.fail("no packet");
        assert.ok(answer.length <= MTU);
        assert.deepEqual([slowChecksum(answer.subarray(0, 20)), transportChecksumResidue(parsed)], [0, 0]);
        assert.deepEqual(
            [parsed.source, parsed.destination].map((address) => formatIpv4(address.readUInt32BE(0))),
            [GATEWAY, ADDRESS],
        );
        assert.equal(decodeDhcp(udpData(answer, 68) ?? assert.fail("no datagram"))?.op, 2);
    }
}
