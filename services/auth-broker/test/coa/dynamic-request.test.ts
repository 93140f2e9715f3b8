import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTRIBUTE, bytesAttribute, CODE, integerAttribute, textAttribute } from "@postern/radius";
import { isDynamicRequest, readRequest } from "../../src/coa/dynamic-request.ts";
import { eventTimestamp, proxyState, user } from "./radius-packets.ts";

const RULES = {
    names: { caseSensitive: false, ownDomains: [], otherDomains: "keep" },
    nasIdentifiers: ["postern"],
    nasAddresses: [],
} as const;

test("what belongs to the packet, and remarks, do not change what is asked for", () => {
    const attributes = [
        bytesAttribute(ATTRIBUTE.messageAuthenticator, new Uint8Array(16)),
        user("alice"),
        eventTimestamp(0),
        proxyState("a"),
        proxyState("b"),
        textAttribute(ATTRIBUTE.replyMessage, "bye"),
        integerAttribute(ATTRIBUTE.acctTerminateCause, 6),
    ];
    assert.deepEqual(readRequest({ attributes }, RULES), {
        kind: "disconnect",
        target: { filter: { principal: "alice" }, worker: undefined },
    });
});

test("what a Disconnect-Request cannot have is refused, whatever else is in it", () => {
    const refusals: readonly (readonly [number, number])[] = [
        [ATTRIBUTE.nasPort, 401],
        [ATTRIBUTE.class, 401],
        [ATTRIBUTE.sessionTimeout, 401],
        [ATTRIBUTE.vendorSpecific, 401],
        [250, 401],
        [ATTRIBUTE.serviceType, 405],
    ];
    for (const [type, cause] of refusals) {
        const answer = readRequest({ attributes: [user("alice"), integerAttribute(type, 1)] }, RULES);
        assert.ok("refused" in answer && answer.refused === cause, `attribute ${type}`);
    }
    const twice = readRequest({ attributes: [user("alice"), user("bob")] }, RULES);
    assert.ok("refused" in twice && twice.refused === 407);
});

test("only requests of RFC 5176 are answered, never an answer", () => {
    const codes = Array.from({ length: 256 }, (_, code) => code).filter((code) => isDynamicRequest({ code }));
    assert.deepEqual(codes, [CODE.disconnectRequest]);
});
