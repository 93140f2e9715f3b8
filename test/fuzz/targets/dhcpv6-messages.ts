// What a client sends over IPv6 to all DHCPv6 servers, and what a server sends to our client.  The first octet chooses the source, the others
// are a DHCPv6 message.
import assert from "node:assert/strict";
import { concatBytes } from "@postern/bytes";
import { formatIpv6, informationRequest, ipv6Source, parseIpv6, readInformationReply } from "@postern/ip";
import { decodeDhcpv6, encodeDhcpv6 } from "../../../libs/ip/src/dhcpv6-message.ts";
import { udpIpv6Data, udpIpv6Packet } from "../../../libs/ip/src/udp-ipv6-packet.ts";
import { slowParse, transportChecksumResidue } from "../../../libs/ip/test/slow-model.ts";
import { Ipv6Link } from "../../../services/session-worker/src/ipv6-link.ts";
import type { FuzzTarget } from "../fuzz-target.ts";

const OWN_SOURCES = ["fe80::2", "fd91:0:0:5::7"];
const SOURCES = [...OWN_SOURCES, "fe80::3", "2001:db8::1"];
const TRANSACTION = 0x12_3456;
const NAME_SERVER = parseIpv6("fd91::53");

function* seeds(): Iterable<Uint8Array> {
    const source = parseIpv6("fe80::2");
    const data = udpIpv6Data(informationRequest(source, TRANSACTION, Uint8Array.of(0, 4, 1, 2)), 547);
    yield concatBytes(Uint8Array.of(0), data ?? assert.fail());
    const options = [
        { code: 2, value: Uint8Array.of(0, 3, 0, 27, 0, 0, 0, 0, 0, 0, 0, 1) },
        { code: 23, value: NAME_SERVER },
    ];
    for (const type of [7, 11]) {
        yield concatBytes(Uint8Array.of(1), encodeDhcpv6({ type, transaction: TRANSACTION, options }));
    }
}

export const target: FuzzTarget = {
    maxLength: 300,
    seeds,
    run(bytes) {
        const source = SOURCES[(bytes[0] ?? 0) % SOURCES.length] ?? "::";
        const message = bytes.subarray(1);
        const decoded = decodeDhcpv6(message);
        if (decoded !== undefined) assert.deepEqual(Buffer.from(encodeDhcpv6(decoded)), Buffer.from(message));
        const ends = { source: parseIpv6(source), destination: parseIpv6("ff02::1:2") };
        assertAnswered(udpIpv6Packet({ ...ends, sourcePort: 546, destinationPort: 547 }, message), source);
        const servers = readInformationReply(
            udpIpv6Packet({ ...ends, sourcePort: 547, destinationPort: 546 }, message),
            TRANSACTION,
        );
        for (const server of servers ?? []) assert.equal(server.length, 16);
    },
};

/** One answer at most, from us to who asked, and none for who is not the client. */
function assertAnswered(packet: Uint8Array, source: string): void {
    const sent: Uint8Array[] = [];
    const link = new Ipv6Link({
        prefix: "fd91:0:0:5::/64",
        dns: ["fd91::53"],
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
        assert.deepEqual([formatIpv6(ipv6Source(answer, 0)), formatIpv6(parsed.destination)], ["fe80::1", source]);
        const reply = decodeDhcpv6(udpIpv6Data(answer, 546) ?? assert.fail("no datagram"));
        assert.equal(reply?.type, 7);
    }
}
