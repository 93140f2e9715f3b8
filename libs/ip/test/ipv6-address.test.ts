import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { IpError, formatIpv6, parseIpv6 } from "@postern/ip";

/** RFC 5952 as the URL standard's host serializer has it, which writes no dotted quads. */
const canonical = (text: string): string => new URL(`http://[${text}]/`).hostname.slice(1, -1);

/** Addresses in which runs of zero groups are common. */
const addresses = fc
    .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
    .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));

test("text and bytes are one address, in the form of RFC 5952", () => {
    fc.assert(
        fc.property(addresses, (bytes) => {
            const text = formatIpv6(bytes);
            assert.ok(net.isIPv6(text));
            assert.deepEqual(parseIpv6(text), bytes);
            if (!text.includes(".")) assert.equal(text, canonical(text));
        }),
        { numRuns: 1_000 },
    );
    for (const text of [
        "::",
        "::1",
        "1::",
        "2001:db8::1",
        "2001:db8:0:1:1:1:1:1",
        "2001:0:0:1::1",
        "::ffff:192.0.2.1",
    ]) {
        assert.equal(formatIpv6(parseIpv6(text)), text);
    }
    assert.equal(formatIpv6(parseIpv6("2001:DB8:0:0:1:0:0:1")), "2001:db8::1:0:0:1");
    assert.equal(formatIpv6(Uint8Array.of(9, ...parseIpv6("::1")), 1), "::1");
});

test("what the platform does not take for an address is refused, and what it takes has the same bytes", () => {
    const near = fc.array(fc.constantFrom("0", "1", "ffff", "db8", ":", ":", "::", "1.2.3.4", ".", "12345", "g"), {
        maxLength: 16,
    });
    fc.assert(
        fc.property(
            fc.oneof(
                fc.string(),
                near.map((parts) => parts.join("")),
                fc.ipV6(),
            ),
            (text) => {
                if (net.isIPv6(text) && !text.includes("%")) {
                    assert.equal(canonical(formatIpv6(parseIpv6(text))), canonical(text));
                } else assert.throws(() => parseIpv6(text), IpError);
            },
        ),
        { numRuns: 3_000 },
    );
    for (const text of [
        "",
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7::8",
        "fe80::1%eth0",
        "1.2.3.4",
    ]) {
        assert.throws(() => parseIpv6(text), { name: "IpError", code: "IP_BAD_ADDRESS" }, text);
    }
    assert.throws(() => parseIpv6("1:".repeat(100_000)), IpError);
    for (const size of [0, 4, 15]) assert.throws(() => formatIpv6(new Uint8Array(size)), IpError);
});
