import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, fromHex, toHex } from "@postern/bytes";
import {
    formatIpv6,
    informationReply,
    informationRequest,
    parseIpv6,
    readInformationReply,
    readInformationRequest,
} from "@postern/ip";
import { decodeDhcpv6, encodeDhcpv6, type Dhcpv6Message } from "../src/dhcpv6-message.ts";
import { udpIpv6Data, udpIpv6Packet } from "../src/udp-ipv6-packet.ts";

const CLIENT = parseIpv6("fe80::aabb:ccff:fe00:2");
const SERVER = parseIpv6("fe80::1");
const SERVER_ID = fromHex("0000000000000001");
const DUID = fromHex("000100012a3b4c5daabbcc000002");
const NAME_SERVERS = [parseIpv6("fd91::53"), parseIpv6("fd91::54")];
const TRANSACTION = 0x12_3456;

const ask = (
    message: Partial<Dhcpv6Message>,
    destination = "ff02::1:2",
    destinationPort = 547,
): ReturnType<typeof readInformationRequest> => {
    const question = { type: 11, transaction: TRANSACTION, options: [], ...message };
    const ends = { source: CLIENT, sourcePort: 546, destination: parseIpv6(destination), destinationPort };
    return readInformationRequest(udpIpv6Packet(ends, encodeDhcpv6(question)), SERVER_ID);
};

test("a host that asks for name servers gets them, its own identity and ours", () => {
    const packet = informationRequest(CLIENT, TRANSACTION, DUID);
    const request = readInformationRequest(packet, SERVER_ID) ?? assert.fail("not read");
    const reply = informationReply(request, SERVER, SERVER_ID, NAME_SERVERS);
    assert.deepEqual(
        readInformationReply(reply, TRANSACTION)?.map((server) => formatIpv6(server)),
        ["fd91::53", "fd91::54"],
    );
    assert.equal(readInformationReply(reply, TRANSACTION + 1), undefined);
    assert.equal(readInformationReply(packet, TRANSACTION), undefined);
    const message = decodeDhcpv6(udpIpv6Data(reply, 546) ?? assert.fail()) ?? assert.fail();
    assert.deepEqual(
        message.options.map(({ code, value }) => [code, toHex(value)]),
        [
            [1, toHex(DUID)],
            [2, "0003001b0000000000000001"],
            [23, toHex(concatBytes(...NAME_SERVERS))],
        ],
    );
});

test("options are those that are wanted, or all that there are", () => {
    const told = (wanted: string | undefined, servers = NAME_SERVERS): readonly number[] => {
        const options = wanted === undefined ? [] : [{ code: 6, value: fromHex(wanted) }];
        const request = ask({ options }) ?? assert.fail("not read");
        const reply = informationReply(request, SERVER, SERVER_ID, servers);
        return (decodeDhcpv6(udpIpv6Data(reply, 546) ?? assert.fail())?.options ?? []).map(({ code }) => code);
    };
    assert.deepEqual(told(undefined), [2, 23]);
    assert.deepEqual(told("00180017"), [2, 23]);
    assert.deepEqual(told("0018"), [2]);
    assert.deepEqual(told("001700"), [2, 23]);
    assert.deepEqual(told("0017", []), [2]);
});

test("what is for another server, for one address, or asks for addresses is not answered", () => {
    assert.ok(ask({}) !== undefined);
    assert.ok(ask({ options: [{ code: 2, value: fromHex("0003001b0000000000000001") }] }) !== undefined);
    assert.equal(ask({ options: [{ code: 2, value: fromHex("0003001b0000000000000002") }] }), undefined);
    for (const code of [3, 4, 25]) assert.equal(ask({ options: [{ code, value: new Uint8Array(12) }] }), undefined);
    for (const type of [1, 3, 6, 7, 12]) assert.equal(ask({ type }), undefined);
    assert.equal(ask({}, "fe80::1"), undefined);
    assert.equal(ask({}, "ff02::1:3"), undefined);
    assert.equal(ask({}, "ff02::1:2", 546), undefined);
});
