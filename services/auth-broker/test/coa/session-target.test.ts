import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeIpv4, parseIpv4, parseIpv6 } from "@postern/ip";
import { ATTRIBUTE, bytesAttribute, RadiusError, textAttribute, type Attribute } from "@postern/radius";
import { readTarget } from "../../src/coa/session-target.ts";
import { user } from "./radius-packets.ts";

const RULES = {
    names: { caseSensitive: false, ownDomains: ["CORP"], otherDomains: "keep" },
    nasIdentifiers: ["postern"],
    nasAddresses: ["192.0.2.1", "2001:db8::1"],
} as const;

const { acctSessionId, framedIpAddress, framedIpv6Prefix, callingStationId, nasIdentifier } = ATTRIBUTE;
const ipv4 = (type: number, text: string): Attribute => bytesAttribute(type, encodeIpv4(parseIpv4(text)));
const prefix = (text: string, length: number): Attribute =>
    bytesAttribute(framedIpv6Prefix, Uint8Array.of(0, length, ...parseIpv6(text)));

test("each key of a session becomes the filter that the registry knows", () => {
    const cases: readonly (readonly [Attribute, object])[] = [
        [textAttribute(acctSessionId, "0a1b2c3d4e5f"), { session: "0a1b2c3d4e5f" }],
        [user("CORP\\Alice"), { principal: "alice" }],
        [ipv4(framedIpAddress, "10.91.0.7"), { address: "10.91.0.7" }],
        [prefix("fd00:db8:0:2a::", 64), { ipv6Prefix: "fd00:db8:0:2a::/64" }],
        [textAttribute(callingStationId, "198.51.100.4"), { client: "198.51.100.4" }],
        [textAttribute(callingStationId, "2001:DB8:0:0::4"), { client: "2001:db8::4" }],
    ];
    for (const [attribute, filter] of cases)
        assert.deepEqual(readTarget([attribute], RULES), { filter, worker: undefined });
});

test("keys add up: all of them must fit", () => {
    const attributes = [user("bob"), ipv4(framedIpAddress, "10.91.0.7"), textAttribute(nasIdentifier, "w2")];
    assert.deepEqual(readTarget(attributes, RULES), {
        filter: { principal: "bob", address: "10.91.0.7" },
        worker: "w2",
    });
});

test("the installation's own NAS names and addresses mean all of it, others are refused", () => {
    const named = (...attributes: readonly Attribute[]) => readTarget([user("bob"), ...attributes], RULES);
    const all = { filter: { principal: "bob" }, worker: undefined };
    assert.deepEqual(named(textAttribute(nasIdentifier, "postern")), all);
    assert.deepEqual(named(ipv4(ATTRIBUTE.nasIpAddress, "192.0.2.1")), all);
    assert.deepEqual(named(bytesAttribute(ATTRIBUTE.nasIpv6Address, parseIpv6("2001:db8::1"))), all);
    for (const other of [
        ipv4(ATTRIBUTE.nasIpAddress, "192.0.2.2"),
        bytesAttribute(ATTRIBUTE.nasIpv6Address, parseIpv6("2001:db8::2")),
        bytesAttribute(ATTRIBUTE.nasIpv6Address, new Uint8Array(4)),
    ]) {
        const target = named(other);
        assert.ok("refused" in target && target.refused === 403, JSON.stringify(target));
    }
});

test("without a key of a session nothing is meant", () => {
    for (const attributes of [[], [textAttribute(nasIdentifier, "w1")]]) {
        const target = readTarget(attributes, RULES);
        assert.ok("refused" in target && target.refused === 402);
    }
});

test("a value that no session can have finds none, and does not widen the search", () => {
    for (const attribute of [
        textAttribute(acctSessionId, "*"),
        textAttribute(acctSessionId, ""),
        user(""),
        user("a@b@c\\d"),
        prefix("fd00:db8::", 48),
        textAttribute(callingStationId, "00-11-22-33-44-55"),
        textAttribute(callingStationId, "fe80::1%eth0"),
    ]) {
        const target = readTarget([ipv4(framedIpAddress, "10.91.0.7"), attribute], RULES);
        assert.ok("refused" in target && target.refused === 503, JSON.stringify([attribute, target]));
    }
});

test("a key that is there twice, or has not the form of its type, is an error", () => {
    for (const attributes of [
        [user("alice"), user("bob")],
        [bytesAttribute(framedIpAddress, new Uint8Array(3))],
        [bytesAttribute(framedIpv6Prefix, Uint8Array.of(0, 64, 1))],
        [bytesAttribute(ATTRIBUTE.userName, Uint8Array.of(0xff))],
    ]) {
        assert.throws(() => readTarget(attributes, RULES), RadiusError);
    }
});
