// The whole link seen from the wire while LCP is negotiated: T7 and T8 of the conformance list, by the byte.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeLatin1, toHex } from "@postern/bytes";
import { packet, RawPeer } from "./support/raw-peer.ts";

const OUR_MRU = "01040ffb";
const OUR_AUTHENTICATION = "0305c22381";
const OUR_MAGIC = "050601020304";
const OUR_REQUEST = `lcp ${packet(1, 1, OUR_MRU + OUR_AUTHENTICATION + OUR_MAGIC)}`;

describe("our Configure-Request", () => {
    test("is MRU, authentication and magic number", () => {
        assert.deepEqual(new RawPeer().take(), [OUR_REQUEST]);
    });

    test("goes on without MRU when that is Naked, as Open SSTP does, and without magic when that is rejected", () => {
        const peer = new RawPeer();
        peer.take();
        peer.say("lcp", packet(4, 1, OUR_MAGIC));
        assert.deepEqual(peer.take(), [`lcp ${packet(1, 2, OUR_MRU + OUR_AUTHENTICATION)}`]);
        peer.say("lcp", packet(3, 2, "010405dc"));
        assert.deepEqual(peer.take(), [`lcp ${packet(1, 3, OUR_AUTHENTICATION)}`]);
        peer.say("lcp", packet(2, 3, OUR_AUTHENTICATION));
        peer.say("lcp", packet(1, 0, "010405dc"));
        assert.equal(peer.link.phase, "authenticate");
        peer.take();
        peer.say("lcp", packet(9, 8, "00000000 6869"));
        assert.deepEqual(peer.take(), [`lcp ${packet(10, 8, "00000000 6869")}`], "magic is zero after a Reject");
    });

    test("draws another magic number when the peer has ours", () => {
        const peer = new RawPeer();
        peer.take();
        peer.say("lcp", packet(3, 1, OUR_MAGIC));
        assert.deepEqual(peer.take(), [`lcp ${packet(1, 2, `${OUR_MRU}${OUR_AUTHENTICATION}050605060708`)}`]);
    });
});

describe("the peer's Configure-Request", () => {
    const answer = (data: string): readonly string[] => {
        const peer = new RawPeer();
        peer.take();
        return peer.say("lcp", packet(1, 0, data)).take();
    };

    test("of Windows, with identifier 0: callback is rejected, the rest is fine", () => {
        const others = "01040ffb 05061a2b3c4d 0702 0802";
        const peer = new RawPeer();
        peer.take();
        peer.frame(`ff03c021 ${packet(1, 0, `${others} 0d0306`)}`);
        assert.deepEqual(peer.take(), [`lcp ${packet(4, 0, "0d0306")}`]);
        peer.say("lcp", packet(1, 1, others));
        assert.deepEqual(peer.take(), [`lcp ${packet(2, 1, others)}`]);
        assert.equal(peer.link.peerMru, 4091);
    });

    for (const [name, option] of [
        ["async map", "020600000000"],
        ["authentication of us", "0304c023"],
        ["quality", "0408c02500000000"],
        ["callback", "0d0306"],
        ["15", "0f0403e8"],
        ["MRRU", "110405dc"],
        ["18", "1202"],
        ["endpoint discriminator", "1303 00"],
        ["23", "17040001"],
    ] as const) {
        test(`${name} is rejected`, () => {
            assert.deepEqual(answer(`010405dc ${option}`), [`lcp ${packet(4, 0, option)}`]);
        });
    }

    test("with a bad value and an unknown option: Reject first, Nak after", () => {
        assert.deepEqual(answer("01040010 020600000000"), [`lcp ${packet(4, 0, "020600000000")}`]);
        assert.deepEqual(answer("01040010"), [`lcp ${packet(3, 0, "01040080")}`]);
    });

    test("without options is acknowledged, as pppd sends it in the end", () => {
        assert.deepEqual(answer(""), [`lcp ${packet(2, 0)}`]);
    });

    test("with magic zero or ours gets another", () => {
        assert.deepEqual(answer("050600000000"), [`lcp ${packet(3, 0, "050605060708")}`]);
        assert.deepEqual(answer(OUR_MAGIC), [`lcp ${packet(3, 0, "050605060708")}`]);
    });

    for (const [name, option, shown] of [
        ["MRU", "010305", "010405dc"],
        ["magic", "050401ff", "050605060708"],
        ["PFC", "070300", "0702"],
    ] as const) {
        test(`with ${name} of a wrong size is shown the right one`, () => {
            assert.deepEqual(answer(option), [`lcp ${packet(3, 0, shown)}`]);
        });
    }
});

test("frames are understood in all four shapes at any time, also where nothing was agreed", () => {
    const peer = new RawPeer().openLcp();
    for (const header of ["ff03c021", "c021"]) {
        peer.frame(`${header} ${packet(9, 3, "00000000")}`);
        assert.deepEqual(peer.take(), [`lcp ${packet(10, 3, "01020304")}`]);
    }
    for (const header of ["ff030021", "0021", "ff0321", "21"]) peer.frame(`${header} 4500`);
    assert.equal(peer.link.discarded.phase, 4, "data before the network phase");
});

test("a looped line never opens, and ends", () => {
    const peer = new RawPeer();
    for (let turns = 0; peer.link.phase !== "dead"; turns += 1) {
        assert.ok(turns < 200, "the loop has no end");
        const sent = peer.take();
        for (const frame of sent) peer.say("lcp", frame.slice("lcp ".length));
        if (sent.length === 0) peer.run(3000);
    }
    assert.ok(!peer.log.includes("opened ipv4"));
    assert.deepEqual(peer.time.running, []);
});

describe("authentication that the client does not like", () => {
    const nak = (peer: RawPeer, value: string): readonly string[] => {
        const [, identifier = ""] = /^lcp 01(..)/.exec(peer.take().at(-1) ?? "") ?? [];
        return peer.say("lcp", packet(3, Number.parseInt(identifier, 16), value)).take();
    };

    test("is replaced by its wish where policy allows it", () => {
        const peer = new RawPeer();
        assert.match(nak(peer, "0304c023")[0] ?? "", /0304c023/);
        assert.equal(peer.ended(), undefined);
    });

    test("is replaced by the next of ours where its wish is not allowed", () => {
        const peer = new RawPeer();
        assert.match(nak(peer, "0304c227")[0] ?? "", /0304c023/);
    });

    test("ends the link when nothing is left, and says what the client wanted", () => {
        const peer = new RawPeer({ authentication: ["mschapv2"] });
        assert.deepEqual(nak(peer, "0304c227"), [`lcp ${packet(5, 2)}`]);
        peer.say("lcp", packet(6, 2));
        assert.deepEqual(peer.ended(), {
            reason: "authentication-not-agreed",
            detail: "client wants eap; last offered mschapv2",
        });
    });

    test("ends the link in the end, whatever the client says", () => {
        const peer = new RawPeer();
        const first = peer.take();
        peer.say("lcp", packet(3, 1, "0304c227"));
        peer.say("lcp", packet(3, 2, "0305c22305"));
        assert.equal(first.length, 1);
        peer.say("lcp", packet(6, 3));
        assert.equal(peer.ended()?.detail, "client wants eap, chap; last offered pap");
    });

    test("rejected altogether ends the link: nobody gets in without", () => {
        const peer = new RawPeer();
        peer.say("lcp", packet(4, 1, OUR_AUTHENTICATION));
        peer.say("lcp", packet(6, 2));
        assert.equal(peer.ended()?.reason, "authentication-not-agreed");
    });
});

describe("with LCP open", () => {
    test("the three Identifications of Windows are recorded, Time-Remaining is ignored, nothing is answered", () => {
        const peer = new RawPeer().openLcp();
        peer.say("lcp", packet(12, 2, `7b7b7b7b${toHex(encodeLatin1("MSRASV5.20"))}`));
        peer.say("lcp", packet(12, 3, `7b7b7b7b${toHex(encodeLatin1("MSRAS-0-DESKTOP"))}`));
        peer.say("lcp", packet(12, 4, "7b7b7b7b 78563412bc9af0de1122334455667788"));
        peer.say("lcp", packet(13, 5, "7b7b7b7b 0000003c"));
        assert.deepEqual(peer.take(), []);
        assert.deepEqual(peer.link.identification, {
            version: "MSRASV5.20",
            computer: "DESKTOP",
            correlationId: "12345678-9abc-def0-1122-334455667788",
        });
    });

    test("an Echo-Reply has our magic number, the same data, and never more than the peer takes", () => {
        const peer = new RawPeer().openLcp();
        peer.say("lcp", packet(9, 0x55, `7b7b7b7b${"ab".repeat(1490)}`));
        assert.deepEqual(peer.take(), [`lcp ${packet(10, 0x55, `01020304${"ab".repeat(1490)}`)}`]);
        peer.say("lcp", packet(9, 0x56, `7b7b7b7b${"ab".repeat(3000)}`));
        assert.deepEqual(peer.take(), [`lcp ${packet(10, 0x56, `01020304${"ab".repeat(1500 - 8)}`)}`]);
    });

    test("an echo without a magic number is malformed, Discard-Request is discarded", () => {
        const peer = new RawPeer().openLcp();
        peer.say("lcp", packet(9, 1, "0102")).say("lcp", packet(11, 1, "00000000"));
        assert.deepEqual(peer.take(), []);
        assert.equal(peer.link.discarded.malformed, 1);
    });

    test("an unknown code is rejected with a code below 12", () => {
        const peer = new RawPeer().openLcp();
        peer.say("lcp", packet(14, 1));
        assert.deepEqual(peer.take(), [`lcp ${packet(7, 2, packet(14, 1))}`]);
    });

    for (const [name, protocol] of [
        ["CCP", "80fd"],
        ["ECP", "8053"],
        ["multilink", "003d"],
        ["CBCP", "c029"],
        ["an even number", "c020"],
    ] as const) {
        test(`${name} is answered with Protocol-Reject`, () => {
            const peer = new RawPeer().openLcp();
            peer.say(protocol, "0104000a1206 01000001");
            assert.deepEqual(peer.take(), [`lcp ${packet(8, 2, `${protocol}0104000a120601000001`)}`]);
        });
    }

    test("each Protocol-Reject has a new identifier and at most the peer's MRU", () => {
        const peer = new RawPeer().openLcp();
        peer.say("80fd", "cd".repeat(4000)).say("80fd", "01");
        const [long = "", short] = peer.take();
        assert.equal(long, `lcp ${packet(8, 2, `80fd${"cd".repeat(1500 - 6)}`)}`);
        assert.equal(short, `lcp ${packet(8, 3, "80fd01")}`);
    });
});

describe("frames in the wrong phase are silently discarded", () => {
    test("before LCP is open: authentication, network, unknown", () => {
        const peer = new RawPeer();
        peer.take();
        for (const protocol of ["c023", "c223", "8021", "8057", "80fd", "0021"]) peer.say(protocol, packet(1, 1));
        assert.deepEqual(peer.take(), []);
        assert.deepEqual(peer.link.discarded, { malformed: 0, phase: 6, unexpected: 0 });
    });

    test("before authentication: network; at any time: the method that was not agreed on", () => {
        const peer = new RawPeer().openLcp();
        peer.say("ipcp", packet(1, 1))
            .say("pap", packet(1, 1, "0155 0170"))
            .say("0021", "4500");
        assert.deepEqual(peer.take(), []);
        assert.equal(peer.link.discarded.phase, 3);
        assert.equal(peer.attempts.length, 0);
    });
});

describe("Terminate-Request", () => {
    test("with LCP open is acknowledged; the link ends when the client had time to hang up", () => {
        const peer = new RawPeer({ echo: { intervalMs: 1000, failures: 1 } }).openLcp();
        peer.say("lcp", packet(5, 9));
        assert.deepEqual(peer.take(), [`lcp ${packet(6, 9)}`]);
        assert.equal(peer.link.phase, "terminate");
        assert.deepEqual(peer.time.running, ["lcp"]);
        peer.run(2999);
        assert.equal(peer.ended(), undefined);
        peer.run(1);
        assert.equal(peer.ended()?.reason, "terminated-by-peer");
        assert.deepEqual(peer.time.running, []);
    });

    test("before LCP is open ends the link at once", () => {
        const peer = new RawPeer();
        peer.take();
        peer.say("lcp", packet(5, 9));
        assert.deepEqual(peer.take(), [`lcp ${packet(6, 9)}`]);
        assert.equal(peer.ended()?.reason, "terminated-by-peer");
        assert.deepEqual(peer.time.running, []);
    });

    test("keeps its reason when we wanted to end the link as well", () => {
        const peer = new RawPeer().openLcp();
        peer.say("lcp", packet(5, 9));
        peer.link.terminate("admin");
        peer.run(10_000);
        assert.equal(peer.ended()?.reason, "terminated-by-peer");
    });
});

describe("a client that falls silent", () => {
    test("in LCP: ten requests in thirty seconds, then the end", () => {
        const peer = new RawPeer().run(29_999);
        assert.equal(peer.take().length, 10);
        assert.equal(peer.ended(), undefined);
        peer.run(1);
        assert.deepEqual(peer.ended(), { reason: "lcp-timeout", detail: "LCP timeout" });
    });

    test("in LCP echoes, where they are configured", () => {
        const peer = new RawPeer({ authentication: ["pap"], echo: { intervalMs: 20_000, failures: 2 } }).authenticate();
        peer.run(20_000);
        assert.match(peer.take().join(), /^lcp 0902000801020304$/);
        peer.say("lcp", packet(10, 2, "00000000"));
        peer.run(40_000);
        assert.equal(peer.take().filter((sent) => sent.startsWith("lcp 09")).length, 2);
        assert.equal(peer.link.phase, "network");
        peer.run(20_000);
        peer.run(6000);
        assert.equal(peer.ended()?.reason, "echo-timeout");
    });
});

test("garbage is counted and changes nothing", () => {
    const peer = new RawPeer().openLcp();
    for (const hex of ["", "01", "01010003", "010100ff", packet(1, 1, "01"), packet(8, 1, "80"), packet(7, 1)]) {
        peer.say("lcp", hex);
    }
    assert.deepEqual(peer.take(), []);
    assert.equal(peer.link.discarded.malformed, 7);
    assert.equal(peer.link.phase, "authenticate");
});

describe("LCP negotiated again", () => {
    const again = packet(1, 0x71, "010405dc");
    const credentials = packet(1, 0x30, "0455736572 0470617373");

    test("before the client has shown credentials: everything starts over", () => {
        const peer = new RawPeer({ authentication: ["pap"] }).openLcp();
        peer.say("lcp", again);
        const [request = "", ack] = peer.take();
        assert.equal(ack, `lcp ${packet(2, 0x71, "010405dc")}`);
        peer.say("pap", credentials);
        assert.deepEqual([peer.link.phase, peer.link.discarded.phase, peer.attempts.length], ["establish", 1, 0]);
        peer.say("lcp", request.slice("lcp ".length).replace(/^01/, "02"));
        assert.equal(peer.link.phase, "authenticate");
        peer.say("pap", credentials);
        assert.equal(peer.attempts.length, 1);
    });

    test("while they are decided about, or later: the link ends", () => {
        const deciding = new RawPeer({ authentication: ["pap"] }).openLcp();
        deciding.say("pap", credentials);
        const open = new RawPeer({ authentication: ["pap"] }).authenticate();
        for (const peer of [deciding, open]) {
            peer.say("lcp", again);
            assert.deepEqual(peer.take(), [`lcp ${packet(5, 2)}`]);
            peer.say("lcp", packet(6, 2));
            assert.equal(peer.ended()?.reason, "renegotiation-refused");
            assert.deepEqual(peer.time.running, []);
        }
    });

    test("a repetition of the request that we have acknowledged is no such thing", () => {
        const peer = new RawPeer({ authentication: ["pap"] }).authenticate();
        peer.say("lcp", packet(1, 0x70, "0104 05dc 0506 7b7b7b7b"));
        assert.deepEqual(peer.take(), [`lcp ${packet(2, 0x70, "010405dc05067b7b7b7b")}`]);
        assert.equal(peer.link.phase, "network");
    });
});

test("an authentication protocol that the client rejects ends the link", () => {
    const peer = new RawPeer().openLcp();
    peer.say("lcp", packet(8, 1, "c223 01010004"));
    peer.say("lcp", packet(6, 2));
    assert.equal(peer.ended()?.reason, "authentication-not-agreed");
});

test("a Protocol-Reject before LCP is open is ignored, RFC 1661 §5.7", () => {
    const peer = new RawPeer();
    peer.take();
    peer.say("lcp", packet(8, 1, "c021 01010004"));
    assert.deepEqual(peer.take(), []);
    assert.deepEqual([peer.link.phase, peer.ended()], ["establish", undefined]);
});

test("a client that rejects LCP itself ends the link", () => {
    const peer = new RawPeer().openLcp();
    peer.say("lcp", packet(8, 1, "c021 01010004"));
    peer.say("lcp", packet(6, 2));
    assert.equal(peer.ended()?.reason, "lcp-refused");
});
