import assert from "node:assert/strict";
import { test } from "node:test";
import { dhcpInformReply, parseIpv4, readDhcpInform } from "@postern/ip";
import { windowsInform } from "../../../libs/ip/test/windows-inform.ts";
import { dhcpFacts } from "../src/dhcp-facts.ts";
import { Ipv4Link } from "../src/ipv4-link.ts";

const GATEWAY = "10.91.0.1";
const ADDRESS = "10.91.0.5";
const facts = dhcpFacts({
    addresses: { gateway: GATEWAY, dns: ["10.0.0.53"], nbns: [] },
    policy: { routes: ["10.0.0.0/8"], searchSuffix: "corp.example" },
});

function world(mtu = 1_400) {
    const sent: Uint8Array[] = [];
    const clock = { now: 0 };
    const link = new Ipv4Link({ facts, mtu, now: () => clock.now, send: (packet) => void sent.push(packet) });
    return { link, sent, clock };
}

test("who asks is told what its session was given", () => {
    const { link, sent } = world();
    const question = windowsInform(ADDRESS);
    assert.equal(link.receive(question), undefined);
    const inform = readDhcpInform(question, parseIpv4(GATEWAY)) ?? assert.fail("not an inform");
    assert.deepEqual(sent, [dhcpInformReply(inform, facts, 1_400)]);
    assert.deepEqual([facts.domain, facts.routes.length, facts.nameServers.length], ["corp.example", 1, 1]);
});

test("an answer that does not fit, and what nobody here listens to, is counted as such", () => {
    const { link, sent } = world(200);
    assert.equal(link.receive(windowsInform(ADDRESS)), "too-big");
    assert.equal(link.receive(windowsInform(ADDRESS, "10.91.0.9")), "not-routed");
    assert.equal(link.receive(new Uint8Array(40).fill(0x45)), "not-routed");
    assert.equal(sent.length, 0);
});

test("who asks all the time is answered once a second", () => {
    const { link, sent, clock } = world();
    const ask = (): string | undefined => link.receive(windowsInform(ADDRESS));
    while (ask() === undefined) assert.ok(sent.length < 100);
    const atOnce = sent.length;
    clock.now += 1_000;
    assert.deepEqual([ask(), ask()], [undefined, "not-routed"]);
    assert.equal(sent.length, atOnce + 1);
});
