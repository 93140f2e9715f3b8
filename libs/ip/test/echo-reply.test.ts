import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { echoReply } from "@postern/ip";
import { buildPacket, hostileBytes, packetsOf } from "./packet-arbitraries.ts";
import { slowChecksum, slowParse, transportChecksumResidue } from "./slow-model.ts";

const messages = fc.uint8Array({ minLength: 8, maxLength: 60 });

test("a request comes back with addresses exchanged, its data, and right checksums", () => {
    fc.assert(
        fc.property(packetsOf(undefined, messages), fc.boolean(), (base, isDamaged) => {
            const isIpv4 = base.version === 4;
            const payload = Uint8Array.of(isIpv4 ? 8 : 128, 0, ...base.payload.subarray(2));
            const extra = isIpv4 ? Math.min(base.extra, 10) : 0;
            const request = buildPacket({ ...base, protocol: isIpv4 ? 1 : 58, payload, extra }, 2);
            if (isDamaged) request[request.length - 1] = (request[request.length - 1] ?? 0) ^ 0x40;
            const reply = echoReply(request);
            assert.ok(reply !== undefined);
            if (isIpv4) assert.equal(slowChecksum(reply.subarray(0, 20)), 0);
            const [asked, answered] = [slowParse(request), slowParse(reply)];
            assert.ok(asked?.payload !== undefined && answered?.payload !== undefined);
            assert.deepEqual(answered.source, asked.destination);
            assert.deepEqual(answered.destination, asked.source);
            assert.equal(answered.payload[0], isIpv4 ? 0 : 129);
            assert.deepEqual(answered.payload.subarray(4), asked.payload.subarray(4));
            assert.equal(transportChecksumResidue(answered) === 0, !isDamaged);
        }),
    );
});

test("nothing but a whole echo request is answered, a reply least of all", () => {
    fc.assert(
        fc.property(hostileBytes, (bytes) => {
            const reply = echoReply(bytes);
            if (reply === undefined) return;
            assert.equal(echoReply(reply), undefined);
            const asked = slowParse(bytes);
            assert.ok(asked?.payload !== undefined);
            assert.equal(asked.payload[0], asked.version === 4 ? 8 : 128);
        }),
        { numRuns: 1_000 },
    );
    const ping = {
        version: 4,
        source: new Uint8Array(4).fill(9),
        destination: new Uint8Array(4).fill(8),
        extra: 0,
    } as const;
    const request = Uint8Array.of(8, 0, 0, 0, 0, 1, 0, 1);
    assert.ok(echoReply(buildPacket({ ...ping, protocol: 1, payload: request, fragment: 0 }, 2)) !== undefined);
    for (const fragment of [0x2000, 0x0001]) {
        assert.equal(echoReply(buildPacket({ ...ping, protocol: 1, payload: request, fragment })), undefined);
    }
    assert.equal(
        echoReply(buildPacket({ ...ping, protocol: 1, payload: request.subarray(0, 7), fragment: 0 })),
        undefined,
    );
    assert.equal(echoReply(buildPacket({ ...ping, protocol: 17, payload: request, fragment: 0 })), undefined);
});
