// IPV6CP of a server link, alone and beside IPCP.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import type { NetworkConfiguration } from "@postern/ppp";
import { randomInterfaceId } from "../src/ipv6cp.ts";
import { packet, RawPeer } from "./support/raw-peer.ts";

const CONFIGURATION: NetworkConfiguration = {
    ipv4: { serverAddress: "192.0.2.1", clientAddress: "192.0.2.77", dns: [], nbns: [] },
    ipv6: { serverInterfaceId: "0000000000000001", clientInterfaceId: "00000000000000aa" },
};
const OURS = "010a0000000000000001";
const SUGGESTED = "010a00000000000000aa";
const THEIRS = "010a021122fffe334455";

function newPeer(configuration = CONFIGURATION): RawPeer {
    const peer = new RawPeer({ authentication: ["pap"] }).authenticate();
    peer.link.configureNetwork(configuration);
    peer.take();
    return peer;
}

const openIpv4 = (peer: RawPeer): RawPeer =>
    peer.say("ipcp", packet(2, 1, "0306c0000201")).say("ipcp", packet(1, 0x41, "0306c000024d"));
const openIpv6 = (peer: RawPeer): RawPeer => peer.say("ipv6cp", packet(1, 4, THEIRS)).say("ipv6cp", packet(2, 1, OURS));

describe("IPV6CP", () => {
    test("is not started by us, and answers a client that starts it", () => {
        const peer = newPeer();
        peer.run(9000);
        assert.ok(!peer.take().some((sent) => sent.startsWith("ipv6cp")));
        peer.say("ipv6cp", packet(1, 4, THEIRS));
        assert.deepEqual(peer.take(), [`ipv6cp ${packet(1, 1, OURS)}`, `ipv6cp ${packet(2, 4, THEIRS)}`]);
        peer.say("ipv6cp", packet(2, 1, OURS));
        assert.deepEqual(peer.log, ["opened ipv6"]);
        assert.equal(peer.link.clientInterfaceId, "021122fffe334455");
    });

    for (const [name, option] of [
        ["zero", "010a0000000000000000"],
        ["ours", OURS],
        ["of a wrong size", "0104abcd"],
        ["missing", ""],
    ] as const) {
        test(`an identifier that is ${name} is answered with a suggestion`, () => {
            const peer = newPeer().say("ipv6cp", packet(1, 4, option));
            assert.equal(peer.take().at(-1), `ipv6cp ${packet(3, 4, SUGGESTED)}`);
        });
    }

    test("takes another identifier for us when the client asks", () => {
        const peer = newPeer().say("ipv6cp", packet(1, 4, THEIRS));
        peer.take();
        peer.say("ipv6cp", packet(3, 1, "010a0000000000000002"));
        assert.deepEqual(peer.take(), [`ipv6cp ${packet(1, 2, "010a0000000000000002")}`]);
        peer.say("ipv6cp", packet(4, 2, "010a0000000000000002"));
        assert.deepEqual(peer.take(), [`ipv6cp ${packet(1, 3)}`]);
    });

    test("is rejected where the session has no IPv6", () => {
        const peer = newPeer({ ipv4: CONFIGURATION.ipv4 ?? assert.fail() });
        peer.say("ipv6cp", packet(1, 4, THEIRS));
        assert.deepEqual(peer.take(), [`lcp ${packet(8, 2, `8057${packet(1, 4, THEIRS)}`)}`]);
    });

    test("a stray packet does not start it", () => {
        const peer = newPeer().say("ipv6cp", packet(5, 4));
        assert.deepEqual(peer.take(), []);
        assert.equal(peer.link.discarded.unexpected, 1);
    });
});

describe("the families are independent", () => {
    test("IPV6CP that the client ends does not end IPv4", () => {
        const peer = openIpv6(openIpv4(newPeer()));
        peer.say("ipv6cp", packet(5, 9)).run(60_000);
        assert.deepEqual(peer.log, ["opened ipv4", "opened ipv6", "lost ipv6"]);
        assert.deepEqual([peer.link.ipv4Open, peer.link.ipv6Open, peer.link.phase], [true, false, "network"]);
        assert.equal(peer.link.clientInterfaceId, undefined);
    });

    test("IPV6CP that never agrees does not end IPv4", () => {
        const peer = openIpv4(newPeer())
            .say("ipv6cp", packet(1, 4, THEIRS))
            .run(60_000);
        assert.deepEqual([peer.link.ipv4Open, peer.link.phase], [true, "network"]);
    });

    test("IPV6CP that the client rejects after all does not end IPv4", () => {
        const peer = openIpv6(openIpv4(newPeer()));
        peer.say("lcp", packet(8, 1, "8057 01010004")).run(60_000);
        assert.deepEqual([peer.link.ipv4Open, peer.link.ipv6Open, peer.link.phase], [true, false, "network"]);
    });

    test("IPV6CP may come back", () => {
        const peer = openIpv6(openIpv4(newPeer()));
        peer.say("ipv6cp", packet(5, 9)).run(3000);
        peer.take();
        peer.say("ipv6cp", packet(1, 10, THEIRS));
        assert.deepEqual(peer.take(), [`ipv6cp ${packet(1, 2, OURS)}`, `ipv6cp ${packet(2, 10, THEIRS)}`]);
        peer.say("ipv6cp", packet(2, 2, OURS));
        assert.equal(peer.link.ipv6Open, true);
        // Having failed once does not count when the other family goes.
        peer.say("ipcp", packet(5, 9)).run(60_000);
        assert.deepEqual([peer.link.ipv4Open, peer.link.ipv6Open, peer.link.phase], [false, true, "network"]);
    });

    test("IPv4 that fails does not end IPv6; both gone ends the link", () => {
        const peer = openIpv6(newPeer()).run(30_000);
        assert.deepEqual([peer.link.ipv4Open, peer.link.ipv6Open, peer.link.phase], [false, true, "network"]);
        peer.say("ipv6cp", packet(5, 9)).run(10_000);
        assert.deepEqual(peer.ended(), { reason: "no-network-protocol", detail: "ipcp timeout, ipv6cp peer" });
    });
});

test("a configuration without a network, or with one identifier for both ends, is our mistake", () => {
    const peer = new RawPeer({ authentication: ["pap"] }).authenticate();
    assert.throws(() => peer.link.configureNetwork({}), InvariantError);
    const ipv6 = { serverInterfaceId: "0000000000000001", clientInterfaceId: "0000000000000001" };
    assert.throws(() => peer.link.configureNetwork({ ipv6 }), InvariantError);
});

test("a random identifier is never zero and no hardware address", () => {
    assert.equal(toHex(randomInterfaceId((size) => new Uint8Array(size))), "0000000000000001");
    assert.equal(toHex(randomInterfaceId((size) => new Uint8Array(size).fill(0xff))), "fdffffffffffffff");
});
