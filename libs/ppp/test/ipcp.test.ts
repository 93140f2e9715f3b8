// T10 of the conformance list, by the byte: IPCP of a server link.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex } from "@postern/bytes";
import type { Ipv4Configuration } from "@postern/ppp";
import { MAX_ROUNDS } from "../src/constants.ts";
import { packet, RawPeer } from "./support/raw-peer.ts";

const IPV4: Ipv4Configuration = {
    serverAddress: "192.0.2.1",
    clientAddress: "192.0.2.77",
    dns: ["192.0.2.53", "192.0.2.54"],
    nbns: [],
};
const SERVER = "0306c0000201";
const CLIENT = "0306c000024d";
const ANY = "030600000000";
const DNS = "8106c0000235 8306c0000236";

function newPeer(ipv4: Partial<Ipv4Configuration> = {}): RawPeer {
    const peer = new RawPeer({ authentication: ["pap"] }).authenticate();
    peer.link.configureNetwork({ ipv4: { ...IPV4, ...ipv4 } });
    peer.take();
    return peer;
}

const answer = (peer: RawPeer, data: string, identifier = 0x40): readonly string[] =>
    peer.say("ipcp", packet(1, identifier, data)).take();
const open = (peer: RawPeer): RawPeer => {
    peer.say("ipcp", packet(2, 1, SERVER)).say("ipcp", packet(1, 0x41, CLIENT));
    peer.take();
    return peer;
};

test("our request comes first and is our address", () => {
    const peer = new RawPeer({ authentication: ["pap"] }).authenticate();
    peer.link.configureNetwork({ ipv4: IPV4 });
    assert.deepEqual(peer.take(), [`ipcp ${packet(1, 1, SERVER)}`]);
});

describe("the request of Windows", () => {
    const zeros = "030600000000 810600000000 820600000000 830600000000 840600000000";

    test("without NBNS of ours: these are rejected first, then everything else is given", () => {
        const peer = newPeer();
        assert.deepEqual(answer(peer, zeros, 5), [`ipcp ${packet(4, 5, "820600000000 840600000000")}`]);
        assert.deepEqual(answer(peer, "030600000000 810600000000 830600000000", 6), [
            `ipcp ${packet(3, 6, `${CLIENT} ${DNS}`)}`,
        ]);
        assert.deepEqual(answer(peer, `${CLIENT} ${DNS}`, 7), [`ipcp ${packet(2, 7, `${CLIENT} ${DNS}`)}`]);
    });

    test("with NBNS: all five are given, as RRAS does", () => {
        const peer = newPeer({ nbns: ["192.0.2.60", "192.0.2.61"] });
        const all = `${CLIENT} 8106c0000235 8206c000023c 8306c0000236 8406c000023d`;
        assert.deepEqual(answer(peer, zeros, 5), [`ipcp ${packet(3, 5, all)}`]);
        assert.deepEqual(answer(peer, all, 6), [`ipcp ${packet(2, 6, all)}`]);
    });

    test("with one DNS server: the second is rejected", () => {
        const peer = newPeer({ dns: ["192.0.2.53"] });
        assert.deepEqual(answer(peer, "830600000000 810600000000 030600000000"), [
            `ipcp ${packet(4, 0x40, "830600000000")}`,
        ]);
    });
});

describe("a client", () => {
    test("that asks for an address of its own gets ours", () => {
        assert.deepEqual(answer(newPeer(), "0306c0a80105"), [`ipcp ${packet(3, 0x40, CLIENT)}`]);
    });

    test("that names no address is told to", () => {
        assert.deepEqual(answer(newPeer(), ""), [`ipcp ${packet(3, 0x40, CLIENT)}`]);
    });

    test("that wants Van Jacobson compression or the old addresses option has them rejected", () => {
        for (const option of ["0206002d0f01", "010a0000000000000000"]) {
            assert.deepEqual(answer(newPeer(), `${option} ${CLIENT}`), [`ipcp ${packet(4, 0x40, option)}`]);
        }
    });

    test("that never takes an address is not let in", () => {
        const peer = newPeer();
        const answers = [0, 1, 2, 3, 4, 5].map((id) => answer(peer, ANY, id)[0]?.slice(0, "ipcp 03".length));
        assert.deepEqual(answers, [...Array<string>(5).fill("ipcp 03"), "ipcp 04"]);
        // It leaves the option out: the address is not ours to give up.
        assert.deepEqual(answer(peer, "", 6), [`ipcp ${packet(5, 2)}`]);
        peer.say("ipcp", packet(6, 2));
        assert.deepEqual(peer.take(), [`lcp ${packet(5, 2)}`]);
        peer.say("lcp", packet(6, 2));
        assert.deepEqual(peer.ended(), { reason: "no-network-protocol", detail: "ipcp not-converging" });
        assert.deepEqual(peer.log, ["closed no-network-protocol"]);
    });

    test("that Naks our address hears the same again, and not without end", () => {
        const peer = newPeer();
        peer.say("ipcp", packet(3, 1, "0306c0a80101"));
        assert.deepEqual(peer.take(), [`ipcp ${packet(1, 2, SERVER)}`]);
        let heard = 1;
        for (let id = 2; peer.say("ipcp", packet(3, id, "0306c0a80101")).take().length > 0; id += 1) heard += 1;
        assert.equal(heard, MAX_ROUNDS + 1, "the last is our Terminate-Request");
        peer.run(12_000);
        assert.deepEqual(peer.ended(), { reason: "no-network-protocol", detail: "ipcp not-converging" });
    });

    test("that falls silent is given up after ten requests", () => {
        const peer = newPeer().run(30_000);
        assert.deepEqual(peer.take().at(-1), `lcp ${packet(5, 2)}`);
        peer.run(6000);
        assert.deepEqual(peer.ended(), { reason: "no-network-protocol", detail: "ipcp timeout" });
    });
});

describe("IPCP that is open", () => {
    test("is reported once both directions are agreed", () => {
        const peer = newPeer().say("ipcp", packet(2, 1, SERVER));
        assert.equal(peer.link.ipv4Open, false);
        peer.say("ipcp", packet(1, 0x41, CLIENT));
        assert.equal(peer.link.ipv4Open, true);
        assert.deepEqual(peer.log, ["opened ipv4"]);
    });

    test("can be negotiated again, and only to the same end", () => {
        const peer = open(newPeer());
        assert.deepEqual(answer(peer, "0306c0a80105"), [
            `ipcp ${packet(1, 2, SERVER)}`,
            `ipcp ${packet(3, 0x40, CLIENT)}`,
        ]);
        assert.equal(peer.link.ipv4Open, false);
        peer.say("ipcp", packet(2, 2, SERVER)).say("ipcp", packet(1, 0x42, CLIENT));
        assert.deepEqual(peer.log, ["opened ipv4", "lost ipv4", "opened ipv4"]);
    });

    test("ends the link when the client ends it and there is nothing else", () => {
        const peer = open(newPeer()).say("ipcp", packet(5, 9));
        assert.deepEqual(peer.take(), [`ipcp ${packet(6, 9)}`]);
        peer.run(3000).run(6000);
        assert.deepEqual(peer.log, ["opened ipv4", "lost ipv4", "closed no-network-protocol"]);
    });

    test("goes down before the link ends", () => {
        const peer = open(newPeer());
        peer.link.terminate("drain");
        assert.deepEqual(peer.log, ["opened ipv4", "lost ipv4"]);
        assert.deepEqual(peer.take(), [`lcp ${packet(5, 2)}`]);
        peer.say("ipcp", packet(1, 0x42, CLIENT));
        assert.equal(peer.link.discarded.phase, 1);
        peer.say("lcp", packet(6, 2));
        assert.deepEqual(peer.log.at(-1), "closed terminated-locally");
    });
});

describe("packets before the network is configured", () => {
    test("wait, the last of each protocol, and are answered after our own request", () => {
        const peer = new RawPeer({ authentication: ["pap"] }).authenticate();
        peer.say("ipcp", packet(1, 1, ANY))
            .say("ipcp", packet(1, 2, ANY))
            .say("ipv6cp", packet(1, 3, "010a00"));
        assert.deepEqual(peer.take(), []);
        peer.link.configureNetwork({ ipv4: IPV4 });
        assert.deepEqual(peer.take(), [
            `ipcp ${packet(1, 1, SERVER)}`,
            `ipcp ${packet(3, 2, CLIENT)}`,
            `lcp ${packet(8, 2, `8057${packet(1, 3, "010a00")}`)}`,
        ]);
    });

    test("do not hold on to the caller's buffer", () => {
        const peer = new RawPeer({ authentication: ["pap"] }).authenticate();
        const bytes = fromHex(packet(1, 1, ANY));
        peer.link.onFrame(0x8021, bytes);
        bytes.fill(0xff);
        peer.link.configureNetwork({ ipv4: IPV4 });
        assert.equal(peer.take().at(-1), `ipcp ${packet(3, 1, CLIENT)}`);
    });
});
