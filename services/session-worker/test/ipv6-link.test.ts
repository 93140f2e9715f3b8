import assert from "node:assert/strict";
import { test } from "node:test";
import {
    echoReply,
    formatCidr,
    formatIpv6,
    informationRequest,
    ipv6Destination,
    ipv6Source,
    parseIpv6,
    readInformationReply,
    readRouterAdvertisement,
    routerSolicitation,
} from "@postern/ip";
import { encodeIpv6EchoRequest } from "@postern/sstp-client";
import { ADVERTISEMENT_INTERVAL, Ipv6Link } from "../src/ipv6-link.ts";

const SERVER = "fe80::1";
const CLIENT = "fe80::aabb:ccff:fe00:2";

function world({ dns = ["fd91::53"] } = {}) {
    const sent: Uint8Array[] = [];
    const ids: { server: string | undefined; client: string | undefined } = {
        server: "0000000000000001",
        client: "aabbccfffe000002",
    };
    const link = new Ipv6Link({
        prefix: "fd91:0:0:5::/64",
        dns,
        mtu: 1_400,
        interfaceIds: () => ids,
        send: (packet) => void sent.push(packet),
    });
    return { link, sent, ids };
}

const echo = (source: string, destination: string): Uint8Array =>
    encodeIpv6EchoRequest({
        source: parseIpv6(source),
        destination: parseIpv6(destination),
        identifier: 1,
        sequence: 2,
        dataSize: 8,
    });

const endsOf = (packet: Uint8Array = new Uint8Array(0)): string[] =>
    [ipv6Source(packet, 0), ipv6Destination(packet, 0)].map((end) => formatIpv6(end));

test("a link that comes up is told its network once, from our link-local address to all nodes", () => {
    const { link, sent } = world();
    link.isUp = false;
    assert.equal(sent.length, 0);
    link.isUp = true;
    link.isUp = true;
    assert.equal(sent.length, 1);
    const [packet = new Uint8Array(0)] = sent;
    assert.deepEqual(endsOf(packet), [SERVER, "ff02::1"]);
    const said = readRouterAdvertisement(packet);
    assert.deepEqual(
        said?.prefixes.map(({ prefix }) => formatCidr(prefix)),
        ["fd91:0:0:5::/64"],
    );
    assert.partialDeepStrictEqual(said, { hopLimit: 64, mtu: 1_400, otherConfiguration: true });
    assert.deepEqual(
        said.nameServers?.addresses.map((address) => formatIpv6(address)),
        ["fd91::53"],
    );
    // Two of three advertisements may be lost.
    const lifetimes = [said.routerLifetime, said.nameServers.lifetime];
    assert.ok(lifetimes.every((lifetime) => lifetime * 1_000 > 3 * ADVERTISEMENT_INTERVAL));
    link.isUp = false;
    link.isUp = true;
    assert.equal(sent.length, 2);
});

test("without name servers none are named; without an interface identifier of ours nothing is said", () => {
    const { link, sent, ids } = world({ dns: [] });
    link.advertise();
    const said = readRouterAdvertisement(sent[0] ?? new Uint8Array(0));
    assert.deepEqual([said?.nameServers, said?.otherConfiguration], [undefined, false]);
    ids.server = undefined;
    link.advertise();
    assert.equal(sent.length, 1);
});

test("a solicitation is answered to its sender, or to all nodes where it has no address yet", () => {
    const { link, sent } = world();
    for (const source of [CLIENT, "::", "fd91:0:0:5::77"]) {
        assert.equal(link.receive(routerSolicitation(parseIpv6(source))), undefined);
    }
    assert.deepEqual(
        sent.map((packet) => endsOf(packet)[1]),
        [CLIENT, "ff02::1", "fd91:0:0:5::77"],
    );
});

test("who asks for name servers by DHCPv6 is told them, by our link-local address", () => {
    const { link, sent } = world();
    const identity = Uint8Array.of(0, 4, ...new Uint8Array(16).fill(9));
    for (const source of [CLIENT, "fd91:0:0:5::77"]) {
        assert.equal(link.receive(informationRequest(parseIpv6(source), 0x12_3456, identity)), undefined);
    }
    assert.deepEqual(
        sent.map((packet) => endsOf(packet)),
        [
            [SERVER, CLIENT],
            [SERVER, "fd91:0:0:5::77"],
        ],
    );
    for (const packet of sent) {
        const servers = readInformationReply(packet, 0x12_3456) ?? assert.fail("no reply");
        assert.deepEqual(
            servers.map((server) => formatIpv6(server)),
            ["fd91::53"],
        );
    }
});

test("a ping to our link-local address is answered, to another or to all it is not", () => {
    const { link, sent } = world();
    const ping = echo(CLIENT, SERVER);
    assert.equal(link.receive(ping), undefined);
    assert.deepEqual(sent, [echoReply(ping)]);
    assert.equal(link.receive(echo("fd91:0:0:5::77", SERVER)), undefined);
    for (const destination of ["ff02::1", "ff02::2", "fe80::2", "fd91::1"]) {
        assert.equal(link.receive(echo(CLIENT, destination)), "not-routed");
    }
    assert.equal(link.receive(echo("::", SERVER)), "not-routed");
    assert.equal(sent.length, 2);
});

test("whoever is not the client gets nothing, whatever it asks", () => {
    const { link, sent, ids } = world();
    const refuse = (source: string): void => {
        assert.equal(link.receive(routerSolicitation(parseIpv6(source))), "foreign-source");
        assert.equal(link.receive(echo(source, SERVER)), "foreign-source");
        const question = informationRequest(parseIpv6(source), 1, new Uint8Array(0));
        assert.equal(link.receive(question), "foreign-source");
    };
    for (const source of ["fe80::3", "fd91:0:0:6::1", "2001:db8::1", "ff02::1"]) refuse(source);
    ids.client = undefined;
    refuse(CLIENT);
    assert.equal(sent.length, 0);
});

test("what is no whole packet is malformed", () => {
    const { link, sent } = world();
    for (const size of [0, 1, 39, 47]) {
        assert.equal(link.receive(routerSolicitation(parseIpv6(CLIENT)).subarray(0, size)), "malformed");
    }
    assert.equal(sent.length, 0);
});
