import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "@postern/bytes";
import { echoReply, parseIpv6 } from "@postern/ip";
import { decodeIpv6EchoReply, encodeIpv6EchoRequest, type Ipv6EchoRequest } from "@postern/sstp-client";

const address = fc.uint8Array({ minLength: 16, maxLength: 16 });
const u16 = fc.integer({ min: 0, max: 0xffff });
const anyRequest: fc.Arbitrary<Ipv6EchoRequest> = fc.record({
    source: address,
    destination: address,
    identifier: u16,
    sequence: u16,
    dataSize: fc.integer({ min: 0, max: 1452 }),
});

test("a request, byte for byte", () => {
    const packet = encodeIpv6EchoRequest({
        source: parseIpv6("2001:db8::2"),
        destination: parseIpv6("2001:db8::1"),
        identifier: 0x1234,
        sequence: 1,
        dataSize: 4,
    });
    const header = "60000000 000c3a40 20010db8000000000000000000000002 20010db8000000000000000000000001";
    assert.equal(toHex(packet), toHex(fromHex(`${header} 8000 100b 1234 0001 00010203`)));
});

test("the reply to any request is recognised, the request itself and a damaged reply are not", () => {
    fc.assert(
        fc.property(anyRequest, fc.nat(), (request, at) => {
            const packet = encodeIpv6EchoRequest(request);
            const { identifier, sequence } = request;
            assert.equal(decodeIpv6EchoReply(packet), undefined);
            const reply = echoReply(packet) ?? assert.fail("no reply");
            assert.deepEqual(decodeIpv6EchoReply(reply), { identifier, sequence });
            assert.equal(decodeIpv6EchoReply(reply.subarray(0, reply.length - 1)), undefined);
            const damaged = Uint8Array.from(reply);
            const byte = 40 + (at % (reply.length - 40));
            damaged[byte] = (damaged[byte] ?? 0) ^ 1;
            assert.equal(decodeIpv6EchoReply(damaged), undefined);
        }),
    );
});
