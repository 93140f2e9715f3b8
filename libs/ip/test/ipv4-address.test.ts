import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { IpError, decodeIpv4, encodeIpv4, formatIpv4, parseIpv4 } from "@postern/ip";

test("text, number and bytes are one address", () => {
    fc.assert(
        fc.property(fc.nat(0xffff_ffff), (address) => {
            const text = formatIpv4(address);
            assert.ok(net.isIPv4(text));
            assert.equal(parseIpv4(text), address);
            assert.equal([...encodeIpv4(address)].join("."), text);
            assert.equal(decodeIpv4(encodeIpv4(address)), address);
        }),
    );
    assert.equal(parseIpv4("255.255.255.255"), 0xffff_ffff);
});

test("what the platform does not take for an address is refused", () => {
    const near = fc.array(fc.constantFrom("0", "1", "9", "25", "256", ".", ".", "-", " ", "x", "0x1", "01"), {
        maxLength: 9,
    });
    fc.assert(
        fc.property(
            fc.oneof(
                fc.string(),
                near.map((parts) => parts.join("")),
                fc.ipV4(),
            ),
            (text) => {
                if (net.isIPv4(text)) assert.equal(formatIpv4(parseIpv4(text)), text);
                else assert.throws(() => parseIpv4(text), IpError);
            },
        ),
        { numRuns: 1_000 },
    );
    for (const text of ["", "1.2.3", "1.2.3.4.5", "1.2.3.04", "1.2.3.256", "1.2.3.4\n", "1.2.3.4/32"]) {
        assert.throws(() => parseIpv4(text), { name: "IpError", code: "IP_BAD_ADDRESS" });
    }
    for (const size of [0, 3, 5, 16]) assert.throws(() => decodeIpv4(new Uint8Array(size)), IpError);
});

test("an error message carries no control character and not all of a long text", () => {
    assert.throws(
        () => parseIpv4(`\u001b[2J${"9".repeat(1000)}`),
        (error: Error) => error.message.length < 200 && !error.message.includes("\u001b"),
    );
});
