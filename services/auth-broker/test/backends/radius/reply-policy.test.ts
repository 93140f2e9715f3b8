import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "@postern/bytes";
import {
    ATTRIBUTE,
    integerAttribute,
    MICROSOFT,
    RadiusError,
    textAttribute,
    VENDOR,
    vendorAttribute,
} from "@postern/radius";
import { replyGroups, replyPolicy } from "../../../src/backends/radius/reply-policy.ts";

const dns = (type: number, ...address: readonly number[]) =>
    vendorAttribute(VENDOR.microsoft, type, Uint8Array.from(address));

test("attributes become the policy's values", () => {
    const attributes = [
        integerAttribute(ATTRIBUTE.framedIpAddress, 0x0a5b_0007),
        textAttribute(ATTRIBUTE.framedPool, "staff"),
        dns(MICROSOFT.primaryDnsServer, 10, 0, 0, 53),
        dns(MICROSOFT.secondaryDnsServer, 10, 0, 1, 53),
        integerAttribute(ATTRIBUTE.portLimit, 2),
        integerAttribute(ATTRIBUTE.sessionTimeout, 28_800),
        integerAttribute(ATTRIBUTE.idleTimeout, 1_800),
        textAttribute(ATTRIBUTE.framedRoute, "10.0.0.0/8 192.0.2.1 1"),
        textAttribute(ATTRIBUTE.framedRoute, "192.168.1.0"),
    ];
    assert.deepEqual(replyPolicy(attributes), {
        framedAddress: "10.91.0.7",
        pool: "staff",
        dns: ["10.0.0.53", "10.0.1.53"],
        maxSessions: 2,
        sessionTimeout: 28_800,
        idleTimeout: 1_800,
        routes: ["10.0.0.0/8", "192.168.1.0/24"],
    });
});

test("what says nothing sets nothing: no attribute, zero, an address that we are to choose", () => {
    assert.deepEqual(replyPolicy([]), {});
    for (const value of [0, 0xffff_fffe, 0xffff_ffff]) {
        assert.deepEqual(replyPolicy([integerAttribute(ATTRIBUTE.framedIpAddress, value)]), {});
    }
    const zeros = [ATTRIBUTE.portLimit, ATTRIBUTE.sessionTimeout].map((type) => integerAttribute(type, 0));
    assert.deepEqual(replyPolicy(zeros), {});
});

test("a value of another form, or twice, is not guessed at", () => {
    const short = { type: ATTRIBUTE.sessionTimeout, value: Uint8Array.of(1) };
    const twice = [1, 2].map((value) => integerAttribute(ATTRIBUTE.framedIpAddress, value));
    const latin = { type: ATTRIBUTE.framedPool, value: Uint8Array.of(0xe9) };
    const route = textAttribute(ATTRIBUTE.framedRoute, "10.0.0.0/8");
    const many = Array.from({ length: 65 }, () => route);
    assert.equal(replyPolicy(many.slice(1)).routes?.length, 64);
    for (const attributes of [[short], twice, [latin], many]) assert.throws(() => replyPolicy(attributes), RadiusError);
});

test("groups are where the configuration says", () => {
    const attributes = [
        textAttribute(ATTRIBUTE.filterId, "staff"),
        textAttribute(ATTRIBUTE.filterId, "ops"),
        textAttribute(ATTRIBUTE.class, "OU=Engineering;"),
        textAttribute(ATTRIBUTE.class, "ou=all"),
        { type: ATTRIBUTE.class, value: Uint8Array.of(0xff, 0, 1) },
        { type: ATTRIBUTE.class, value: encodeUtf8("session-4711") },
    ];
    assert.deepEqual(replyGroups(attributes, "filter-id"), ["staff", "ops"]);
    assert.deepEqual(replyGroups(attributes, "class"), ["Engineering", "all"]);
    assert.deepEqual(replyGroups(attributes, "none"), []);
});
