// PROXY protocol headers of balancers, versions 1 and 2.
import assert from "node:assert/strict";
import { encodeLatin1 } from "@postern/bytes";
import {
    decodeProxyHeader,
    encodeProxyV1,
    encodeProxyV2,
    MAX_HEADER_SIZE,
    type ProxyHeader,
    TLV,
} from "@postern/proxy-protocol";
import type { FuzzTarget } from "../fuzz-target.ts";
import { assertPrefixAgrees, cutPoint, outcomeOf, plainOutcome, valueOf } from "../properties.ts";

const V4: ProxyHeader = {
    command: "proxy",
    source: { address: "192.0.2.7", port: 40_000 },
    destination: { address: "198.51.100.1", port: 443 },
    tlvs: [
        { type: TLV.authority, value: encodeLatin1("vpn.example.com") },
        { type: TLV.uniqueId, value: encodeLatin1("0123456789abcdef") },
    ],
};
const V6: ProxyHeader = {
    command: "proxy",
    source: { address: "2001:db8::7", port: 40_000 },
    destination: { address: "2001:db8:0:1::1", port: 443 },
    tlvs: [],
};

function* seeds(): Iterable<Uint8Array> {
    for (const header of [V4, V6]) yield* [encodeProxyV1(header), encodeProxyV2(header)];
    yield encodeProxyV2({ command: "local", tlvs: [] });
    yield encodeProxyV2({ command: "proxy", tlvs: [] });
    yield encodeLatin1("PROXY UNKNOWN anything\r\n");
    yield encodeLatin1("PROXY TCP6 ::ffff:192.0.2.7 ::1 65535 0\r\nGET");
    const withoutChecksum = encodeProxyV2(V4).slice(0, -7);
    withoutChecksum[15] = (withoutChecksum[15] ?? 0) - 7;
    yield withoutChecksum;
}

export const target: FuzzTarget = {
    maxLength: MAX_HEADER_SIZE + 64,
    seeds,
    run(bytes) {
        const whole = outcomeOf(() => decodeProxyHeader(bytes));
        const cut = cutPoint(bytes);
        assertPrefixAgrees(
            whole,
            outcomeOf(() => decodeProxyHeader(bytes.subarray(0, cut))),
            ({ size }) => size,
            cut,
        );
        const decoded = valueOf(whole);
        if (decoded === undefined) return;
        assert.ok(decoded.size > 0 && decoded.size <= Math.min(bytes.length, MAX_HEADER_SIZE));
        assertEncodesAgain(decoded.header);
    },
};

function assertEncodesAgain(header: ProxyHeader): void {
    const { tlvs, ...addresses } = header;
    if (tlvs.length === 0 && header.command === "proxy") {
        const line = encodeProxyV1(header);
        assert.deepEqual(plainOutcome(outcomeOf(() => decodeProxyHeader(line))), {
            value: { header, size: line.length },
        });
    }
    const kept = tlvs.filter(({ type }) => type !== TLV.crc32c);
    const encoded = encodeProxyV2({ ...addresses, tlvs: kept });
    if (encoded.length > MAX_HEADER_SIZE) return;
    const again = decodeProxyHeader(encoded);
    assert.ok(again !== undefined);
    assert.equal(again.size, encoded.length);
    assert.deepEqual({ ...again.header, tlvs: again.header.tlvs.slice(0, -1) }, { ...addresses, tlvs: kept });
}
