import assert from "node:assert/strict";
import { test } from "node:test";
import {
    type Ipv6Cidr,
    isRouterSolicitation,
    parseCidr,
    parseIpv6,
    type RouterAdvertisement,
    routerAdvertisement,
    routerSolicitation,
} from "@postern/ip";
import { Ipv6Host } from "../src/ipv6-network.ts";

const ROUTER = parseIpv6("fe80::1");

function cidr(text: string): Ipv6Cidr {
    const found = parseCidr(text);
    return found.version === 6 ? found : assert.fail(text);
}

function advertisement(prefixes: readonly string[], more: Partial<RouterAdvertisement> = {}): Uint8Array {
    return routerAdvertisement(ROUTER, parseIpv6("ff02::1"), {
        hopLimit: 64,
        otherConfiguration: true,
        routerLifetime: 9_000,
        mtu: 1_400,
        prefixes: prefixes.map((prefix) => ({ prefix: cidr(prefix), validLifetime: 100, preferredLifetime: 50 })),
        nameServers: { addresses: [parseIpv6("fd91::53")], lifetime: 100 },
        ...more,
    });
}

function world(interfaceId: string | undefined = "aabbccfffe000002") {
    const sent: Uint8Array[] = [];
    const agreed: { interfaceId: string | undefined; serverInterfaceId: string } = {
        interfaceId,
        serverInterfaceId: "0000000000000001",
    };
    const host = new Ipv6Host({
        agreed: () => (agreed.interfaceId === undefined ? undefined : agreed),
        send: (packet) => void sent.push(packet),
    });
    return { host, sent, agreed };
}

test("an address is the network that the router says and the interface identifier of IPV6CP", async () => {
    const { host, sent } = world();
    assert.equal(host.receive(advertisement(["fd91::/48", "fd91:0:0:5::/64"])), true);
    assert.deepEqual(host.network, {
        address: "fd91::5:aabb:ccff:fe00:2",
        prefix: "fd91:0:0:5::/64",
        router: "fe80::1",
        routerLifetime: 9_000,
        mtu: 1_400,
        dns: ["fd91::53"],
    });
    assert.equal(await host.until(0), host.network);
    assert.equal(sent.length, 0, "what is known is not asked for");
    host.receive(advertisement(["fd91:0:0:6::/64"], { nameServers: undefined }));
    assert.deepEqual([host.network.prefix, host.network.dns], ["fd91:0:0:6::/64", []]);
});

test("who wants a network solicits it, and waits for the answer", async () => {
    const { host, sent } = world();
    const network = host.until(5_000);
    assert.deepEqual(sent, [routerSolicitation(parseIpv6("fe80::aabb:ccff:fe00:2"))]);
    assert.ok(sent.every((packet) => isRouterSolicitation(packet)));
    assert.equal(host.receive(advertisement([])), true);
    assert.equal(host.receive(routerSolicitation(ROUTER)), false);
    host.receive(advertisement(["fd91:0:0:5::/64"]));
    assert.equal((await network).prefix, "fd91:0:0:5::/64");
});

test("without an answer, or when the connection is over, waiting ends", async () => {
    const { host, sent, agreed } = world();
    await assert.rejects(host.until(10), /IPV6_UNANSWERED/);
    const network = host.until(60_000);
    host.close();
    await assert.rejects(network, /IPV6_UNANSWERED/);
    agreed.interfaceId = undefined;
    const before = sent.length;
    await assert.rejects(host.until(10), /IPV6_UNANSWERED/);
    assert.equal(sent.length, before, "there is nobody to be yet");
    assert.equal(host.receive(advertisement(["fd91:0:0:5::/64"])), true);
    assert.equal(host.network, undefined);
});
