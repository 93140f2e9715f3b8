// T9 of the conformance list, by the byte.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeLatin1, fromHex, toHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { type AuthenticationResult, type ChapAttempt, type ServerLinkOptions } from "@postern/ppp";
import { packet, RawPeer } from "./support/raw-peer.ts";

const FIRST_CHALLENGE = "05060708090a0b0c0d0e0f1011121314";
const NAME = toHex(encodeLatin1("srv"));
const VALUE = `${"11".repeat(16)}${"00".repeat(8)}${"22".repeat(24)}00`;
const OTHER_VALUE = `${"33".repeat(16)}${"00".repeat(8)}${"44".repeat(24)}00`;
const SUCCESS: AuthenticationResult = { outcome: "success", message: `S=${"AB".repeat(20)}` };

const text = (data: string): string => toHex(encodeLatin1(data));
const response = (identifier: number, value = VALUE, name = "User"): string =>
    packet(2, identifier, `31${value}${text(name)}`);
const failure = (error: number, retry = false, message = ""): AuthenticationResult => ({
    outcome: "failure",
    failure: { error, retry, message },
});

/** LCP is open and the first challenge is out. */
function newPeer(options: Partial<ServerLinkOptions> = {}): { peer: RawPeer; challenge: string } {
    const peer = new RawPeer(options);
    const [request = ""] = peer.take();
    peer.say("lcp", request.slice("lcp ".length).replace(/^01/, "02")).say("lcp", packet(1, 0x70, "010405dc"));
    const [, challenge = ""] = peer.take();
    return { peer, challenge };
}

const challengePacket = (identifier: number, challenge: string): string =>
    `chap ${packet(1, identifier, `10${challenge}${NAME}`)}`;

describe("MS-CHAPv2", () => {
    test("challenges with 16 random bytes and the server's name", () => {
        assert.equal(newPeer().challenge, challengePacket(1, FIRST_CHALLENGE));
    });

    test("repeats the challenge every five seconds, three in all, then gives up", () => {
        const { peer, challenge } = newPeer();
        peer.run(14_999);
        assert.deepEqual(peer.take(), [challenge, challenge]);
        peer.run(1).run(6000);
        assert.equal(peer.ended()?.reason, "authentication-timeout");
    });

    test("hands on everything that an authentication server needs", () => {
        const { peer } = newPeer();
        peer.say("chap", response(1, VALUE, String.raw`DOMAIN\user`));
        assert.deepEqual(peer.attempts, [
            {
                method: "mschapv2",
                user: String.raw`DOMAIN\user`,
                identifier: 1,
                challenge: fromHex(FIRST_CHALLENGE),
                response: fromHex(VALUE),
            },
        ]);
    });

    test("discards another identifier and another value size", () => {
        const { peer } = newPeer();
        peer.say("chap", response(2)).say("chap", packet(2, 1, `10${"11".repeat(16)}55`));
        assert.equal(peer.attempts.length, 0);
        assert.deepEqual(peer.link.discarded, { malformed: 1, phase: 0, unexpected: 1 });
        peer.say("chap", response(1));
        assert.equal(peer.attempts.length, 1);
    });

    test("answers success with the identifier of the response and the text as it is", () => {
        const { peer } = newPeer();
        peer.say("chap", response(1));
        peer.link.authenticated(SUCCESS);
        assert.deepEqual(peer.take(), [`chap ${packet(3, 1, text(`S=${"AB".repeat(20)}`))}`]);
        assert.equal(peer.link.phase, "network");
    });

    test("a success that clients would hang up on is our own mistake", () => {
        const { peer } = newPeer();
        peer.say("chap", response(1));
        assert.throws(() => peer.link.authenticated({ outcome: "success", message: "welcome" }), InvariantError);
    });

    test("answers failure in the form of RFC 2759 §6 and ends the link", () => {
        const { peer } = newPeer();
        peer.say("chap", response(1));
        peer.link.authenticated(failure(648, false, "Password expired"));
        const drawn = "15161718191A1B1C1D1E1F2021222324";
        assert.deepEqual(peer.take(), [
            `chap ${packet(4, 1, text(`E=648 R=0 C=${drawn} V=3 M=Password expired`))}`,
            `lcp ${packet(5, 2)}`,
        ]);
        peer.say("lcp", packet(6, 2));
        assert.deepEqual(peer.ended(), { reason: "authentication-failed", detail: "error 648" });
    });
});

describe("a response that is repeated", () => {
    test("while it is decided about is swallowed, for as long as it takes", () => {
        const { peer } = newPeer();
        for (let seconds = 0; seconds < 45; seconds += 3) peer.say("chap", response(1)).run(3000);
        assert.equal(peer.attempts.length, 1);
        assert.deepEqual(peer.take(), []);
        peer.link.authenticated(SUCCESS);
        assert.equal(peer.take().length, 1);
    });

    test("after success gets the same answer, also with the network up", () => {
        const { peer } = newPeer();
        peer.say("chap", response(1));
        peer.link.authenticated(SUCCESS);
        const answer = peer.take();
        assert.deepEqual(peer.say("chap", response(1)).take(), answer);
        assert.deepEqual(peer.say("chap", response(1, OTHER_VALUE)).take(), answer);
        assert.deepEqual(peer.say("chap", response(2)).take(), []);
        assert.equal(peer.attempts.length, 1);
    });

    test("after failure gets the same answer, though the link is ending", () => {
        const { peer } = newPeer();
        peer.say("chap", response(1));
        peer.link.authenticated(failure(691));
        const [answer] = peer.take();
        assert.deepEqual(peer.say("chap", response(1)).take(), [answer]);
        assert.equal(peer.attempts.length, 1);
    });
});

describe("a failure that the user may correct (R=1)", () => {
    const retry = (): RawPeer => {
        const { peer } = newPeer();
        peer.say("chap", response(1));
        peer.link.authenticated(failure(691, true));
        return peer;
    };
    const newChallenge = "15161718191a1b1c1d1e1f2021222324";

    test("carries a new challenge, which the next response answers", () => {
        for (const identifier of [1, 2]) {
            const peer = retry();
            assert.deepEqual(peer.take(), [
                `chap ${packet(4, 1, text(`E=691 R=1 C=${newChallenge.toUpperCase()} V=3`))}`,
            ]);
            peer.say("chap", response(identifier, OTHER_VALUE));
            const attempt = peer.attempts.at(-1) as ChapAttempt; // the only method on offer
            assert.equal(toHex(attempt.challenge), newChallenge);
            assert.equal(attempt.identifier, identifier);
            peer.link.authenticated(SUCCESS);
            assert.deepEqual(peer.take(), [`chap ${packet(3, identifier, text(`S=${"AB".repeat(20)}`))}`]);
        }
    });

    test("carries the challenge of the authentication server where it made one", () => {
        const { peer } = newPeer();
        peer.say("chap", response(1));
        const challenge = new Uint8Array(16).fill(0xcc);
        peer.link.authenticated({ outcome: "failure", failure: { error: 691, retry: true, challenge, message: "" } });
        peer.say("chap", response(2, OTHER_VALUE));
        assert.deepEqual((peer.attempts.at(-1) as ChapAttempt).challenge, challenge); // the only method on offer
    });

    test("is repeated when the old response is, and is no second attempt", () => {
        const peer = retry();
        const failed = peer.take();
        assert.deepEqual(peer.say("chap", response(1)).take(), failed);
        assert.equal(peer.attempts.length, 1);
    });

    test("is final at the third attempt", () => {
        const peer = retry();
        for (const value of [OTHER_VALUE, VALUE]) {
            peer.say("chap", response(1, value));
            peer.link.authenticated(failure(691, true));
        }
        assert.match(peer.take().at(-2) ?? "", new RegExp(text("R=0")));
        peer.say("lcp", packet(6, 2));
        assert.equal(peer.ended()?.reason, "authentication-failed");
    });

    test("does not wait for ever", () => {
        const peer = retry().run(120_000).run(6000);
        assert.equal(peer.ended()?.reason, "authentication-timeout");
    });
});

describe("a decision that nobody could make", () => {
    test("is asked for again with a new challenge and identifier", () => {
        const { peer } = newPeer();
        peer.say("chap", response(1));
        peer.link.authenticated({ outcome: "challenge-again" });
        assert.deepEqual(peer.take(), [challengePacket(2, "15161718191a1b1c1d1e1f2021222324")]);
        peer.say("chap", response(1));
        assert.equal(peer.attempts.length, 1, "the answer to the old challenge is too late");
        peer.say("chap", response(2, OTHER_VALUE));
        peer.link.authenticated(SUCCESS);
        assert.equal(peer.link.phase, "network");
    });

    test("is not asked for without end", () => {
        const { peer } = newPeer();
        for (const identifier of [1, 2, 3]) {
            peer.say("chap", response(identifier));
            peer.link.authenticated({ outcome: "challenge-again" });
        }
        peer.say("lcp", packet(6, 2));
        assert.equal(peer.ended()?.reason, "authentication-unanswered");
    });

    test("is a failure after the time that it may take; what comes later changes nothing", () => {
        const { peer } = newPeer({ attemptTimeoutMs: 30_000 });
        peer.say("chap", response(1)).run(30_000);
        const [refusal = "", goodbye] = peer.take();
        assert.match(refusal, new RegExp(`^chap 0401.*${text("E=691 R=0")}`));
        assert.equal(goodbye, `lcp ${packet(5, 2)}`);
        peer.link.authenticated(SUCCESS);
        assert.deepEqual(peer.take(), []);
        peer.run(6000);
        assert.equal(peer.ended()?.reason, "authentication-unanswered");
    });
});

test("a link that ends while the client is deciding does not ask any more", () => {
    const { peer } = newPeer();
    peer.link.terminate("drain");
    peer.say("chap", response(1)).run(60_000);
    assert.equal(peer.attempts.length, 0);
    assert.deepEqual(peer.ended(), { reason: "terminated-locally", detail: "drain" });
});

describe("CHAP with MD5", () => {
    const digest = "77".repeat(16);
    const md5Response = (identifier: number, value = digest): string =>
        packet(2, identifier, `10${value}${text("User")}`);
    const md5Peer = (): RawPeer => new RawPeer({ authentication: ["chap"] }).openLcp();

    test("is asked for as 05, and hands on everything that an authentication server needs", () => {
        const peer = new RawPeer({ authentication: ["chap"] });
        assert.match(peer.take()[0] ?? "", /0305c22305/);
        const opened = md5Peer();
        const [attempt] = opened.say("chap", md5Response(1)).attempts;
        assert.ok(attempt?.method === "chap" && attempt.challenge.length === 16);
        assert.deepEqual([attempt.user, attempt.identifier, toHex(attempt.response)], ["User", 1, digest]);
    });

    test("discards a value of another size", () => {
        const peer = md5Peer().say("chap", response(1));
        assert.deepEqual([peer.attempts.length, peer.link.discarded.malformed], [0, 1]);
    });

    test("answers with the texts as they are, repeats an answer, and has no retry", () => {
        const peer = md5Peer().say("chap", md5Response(1));
        peer.link.authenticated({ outcome: "success", message: "welcome" });
        assert.deepEqual(peer.take(), [`chap ${packet(3, 1, text("welcome"))}`]);
        assert.deepEqual(peer.say("chap", md5Response(1)).take(), [`chap ${packet(3, 1, text("welcome"))}`]);
        assert.equal(peer.attempts.length, 1);
        const refused = md5Peer().say("chap", md5Response(1));
        refused.link.authenticated(failure(691, true, "no"));
        assert.deepEqual(refused.take(), [`chap ${packet(4, 1, text("no"))}`, `lcp ${packet(5, 2)}`]);
    });

    test("nobody could decide: another challenge", () => {
        const peer = md5Peer().say("chap", md5Response(1));
        peer.link.authenticated({ outcome: "challenge-again" });
        assert.match(peer.take()[0] ?? "", /^chap 0102/);
    });
});
