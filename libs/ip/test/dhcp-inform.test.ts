import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "@postern/bytes";
import { dhcpInformReply, type DhcpFacts, parseCidr, parseIpv4, readDhcpInform, udpPacket } from "@postern/ip";
import { decodeDhcp, encodeDhcp } from "../src/dhcp-message.ts";
import { udpData } from "../src/udp-packet.ts";
import { slowChecksum, slowParse, transportChecksumResidue } from "./slow-model.ts";
import { windowsInform } from "./windows-inform.ts";

const ADDRESS = "10.91.0.5";
const SERVER = parseIpv4("10.91.0.1");
const NOTHING: DhcpFacts = { server: SERVER, nameServers: [], netbiosServers: [], domain: undefined, routes: [] };

const routesOf = (...networks: readonly string[]) =>
    networks.map((text) => {
        const cidr = parseCidr(text);
        return cidr.version === 4 ? cidr : assert.fail(text);
    });

const MTU = 1_400;
const replyTo = (packet: Uint8Array, facts: DhcpFacts, largest = MTU): Uint8Array | undefined =>
    dhcpInformReply(readDhcpInform(packet, SERVER) ?? assert.fail("not an inform"), facts, largest);
const optionsOf = (reply: Uint8Array | undefined): Record<string, string> => {
    const message = decodeDhcp(udpData(reply ?? assert.fail("no reply"), 68) ?? assert.fail("no datagram"));
    return Object.fromEntries([...(message?.options ?? [])].map(([code, value]) => [code, toHex(value)]));
};

test("the question of Windows is 328 bytes, and gets its routes, name servers and suffix", () => {
    const question = windowsInform(ADDRESS);
    assert.equal(question.length, 328);
    const reply = replyTo(question, {
        server: SERVER,
        nameServers: [parseIpv4("10.0.0.53"), parseIpv4("10.0.1.53")],
        netbiosServers: [parseIpv4("10.0.0.9")],
        domain: "corp.example",
        routes: routesOf("10.0.0.0/8", "192.168.128.0/17", "172.16.5.4/32", "0.0.0.0/0"),
    });
    const routes = ["080a0a5b0001", "11c0a8800a5b0001", "20ac1005040a5b0001", "000a5b0001"].join("");
    assert.deepEqual(optionsOf(reply), {
        53: "05",
        54: "0a5b0001",
        1: "ffffffff",
        6: "0a0000350a000135",
        15: Buffer.from("corp.example").toString("hex"),
        44: "0a000009",
        249: routes,
        121: routes,
    });
    const parsed = slowParse(reply ?? new Uint8Array(0)) ?? assert.fail();
    assert.equal(slowChecksum((reply ?? new Uint8Array(0)).subarray(0, 20)), 0);
    assert.equal(transportChecksumResidue(parsed), 0);
    assert.equal(toHex(parsed.source) + toHex(parsed.destination), "0a5b00010a5b0005");
    const { payload = Buffer.alloc(0) } = parsed;
    assert.deepEqual([payload.readUInt16BE(0), payload.readUInt16BE(2)], [67, 68]);
    // op, hardware type and length as asked, transaction, own address; no address is given.
    assert.equal(payload.toString("hex", 8, 16), "020800005c0ffee5");
    assert.equal(payload.toString("hex", 20, 28), "0a5b000500000000");
});

test("without routes none are told, and no lease times ever", () => {
    assert.deepEqual(optionsOf(replyTo(windowsInform(ADDRESS, "10.91.0.1"), NOTHING)), {
        53: "05",
        54: "0a5b0001",
        1: "ffffffff",
    });
});

test("many routes are told under the code that was asked for, and more than a packet holds not at all", () => {
    const many = Array.from({ length: 64 }, (_, index) => `10.${index}.1.1/32`);
    const facts = { ...NOTHING, routes: routesOf(...many) };
    const both = optionsOf(replyTo(windowsInform(ADDRESS), facts, 2_000));
    assert.equal(both[249], both[121]);
    assert.equal((both[249] ?? "").length, 2 * 64 * 9);
    const one = optionsOf(replyTo(windowsInform(ADDRESS), facts));
    assert.deepEqual([one[249], one[121]], [both[249], undefined]);
    assert.equal(replyTo(windowsInform(ADDRESS), facts, 576), undefined);
    const message = decodeDhcp(udpData(windowsInform(ADDRESS), 67) ?? assert.fail()) ?? assert.fail();
    const options = new Map([...message.options, [55, Uint8Array.of(121)] as const]);
    const ends = { source: parseIpv4(ADDRESS), sourcePort: 68, destination: 0xffff_ffff, destinationPort: 67 };
    const other = optionsOf(replyTo(udpPacket(ends, encodeDhcp({ ...message, options })), facts));
    assert.deepEqual([other[249], other[121]], [undefined, both[121]]);
});

test("everything but an inform to everybody or to us is somebody else's", () => {
    assert.equal(readDhcpInform(windowsInform(ADDRESS, "10.91.0.2"), SERVER), undefined);
    const message = decodeDhcp(udpData(windowsInform(ADDRESS), 67) ?? assert.fail()) ?? assert.fail();
    const ends = { source: parseIpv4(ADDRESS), sourcePort: 68, destination: 0xffff_ffff, destinationPort: 67 };
    const read = (data: Uint8Array, destinationPort = 67) =>
        readDhcpInform(udpPacket({ ...ends, destinationPort }, data), SERVER);
    assert.ok(read(encodeDhcp(message)) !== undefined);
    for (const type of ["01", "03", "0808", ""]) {
        const options = new Map([...message.options, [53, fromHex(type)] as const]);
        assert.equal(read(encodeDhcp({ ...message, options })), undefined, type);
    }
    assert.equal(read(encodeDhcp({ ...message, op: 2 })), undefined);
    assert.equal(read(encodeDhcp(message), 68), undefined);
    assert.equal(read(new Uint8Array(300)), undefined);
});
