import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeLatin1, toHex } from "@postern/bytes";
import { packet, RawPeer } from "./support/raw-peer.ts";

const CREDENTIALS = "0455736572 0470617373";
const newPeer = (): RawPeer => new RawPeer({ authentication: ["pap"] }).openLcp();
const request = (identifier: number): string => packet(1, identifier, CREDENTIALS);
const FAILURE = { outcome: "failure", failure: { error: 691, retry: false, message: "no" } } as const;

describe("PAP", () => {
    test("hands on name and password as they came", () => {
        const peer = newPeer().say("pap", packet(1, 3, "05 c3bc736572 02 fc00"));
        const password = Uint8Array.of(0xfc, 0x00);
        assert.deepEqual(peer.attempts, [{ method: "pap", user: "üser", password }]);
        assert.equal(peer.link.user, "üser");
    });

    test("reads a name that is not UTF-8 in an 8-bit character set", () => {
        const peer = newPeer().say("pap", packet(1, 3, "04 fc736572 00"));
        assert.equal(peer.link.user, "üser");
    });

    test("acknowledges with a message of the exact length", () => {
        const peer = newPeer().say("pap", request(3));
        peer.link.authenticated({ outcome: "success", message: "hi" });
        assert.deepEqual(peer.take(), [`pap ${packet(2, 3, "026869")}`]);
        assert.equal(peer.link.phase, "network");
    });

    test("refuses with the failure's text, and the link ends", () => {
        const peer = newPeer().say("pap", request(3));
        peer.link.authenticated(FAILURE);
        assert.deepEqual(peer.take(), [`pap ${packet(3, 3, `02${toHex(encodeLatin1("no"))}`)}`, `lcp ${packet(5, 2)}`]);
        peer.say("lcp", packet(6, 2));
        assert.deepEqual(peer.ended(), { reason: "authentication-failed", detail: "error 691" });
    });

    test("a request repeated while it is decided about is one attempt; the answer has the last identifier", () => {
        const peer = newPeer().say("pap", request(3)).say("pap", request(4)).say("pap", request(5));
        assert.equal(peer.attempts.length, 1);
        assert.deepEqual(peer.take(), []);
        peer.link.authenticated({ outcome: "success", message: "" });
        assert.deepEqual(peer.take(), [`pap ${packet(2, 5, "00")}`]);
    });

    test("a request repeated afterwards gets the same answer, also while the link ends", () => {
        const accepted = newPeer().say("pap", request(3));
        accepted.link.authenticated({ outcome: "success", message: "" });
        accepted.take();
        assert.deepEqual(accepted.say("pap", request(9)).take(), [`pap ${packet(2, 9, "00")}`]);

        const refused = newPeer().say("pap", request(3));
        refused.link.authenticated(FAILURE);
        refused.take();
        assert.deepEqual(refused.say("pap", request(9)).take(), [`pap ${packet(3, 9, "026e6f")}`]);
        assert.equal(accepted.attempts.length + refused.attempts.length, 2);
    });

    test("has no second challenge: not decided is refused", () => {
        const peer = newPeer().say("pap", request(3));
        peer.link.authenticated({ outcome: "challenge-again" });
        assert.deepEqual(peer.take(), [`pap ${packet(3, 3, "00")}`, `lcp ${packet(5, 2)}`]);
        peer.say("lcp", packet(6, 2));
        assert.equal(peer.ended()?.reason, "authentication-unanswered");
    });

    test("a client that does not authenticate itself is not waited for", () => {
        const peer = newPeer().run(14_999);
        assert.equal(peer.link.phase, "authenticate");
        peer.run(1).run(6000);
        assert.equal(peer.ended()?.reason, "authentication-timeout");
    });

    test("nobody who decides: refused after two minutes, and a late answer changes nothing", () => {
        const peer = newPeer().say("pap", request(3)).run(119_999);
        assert.equal(peer.link.phase, "authenticate");
        peer.run(1);
        assert.deepEqual(peer.take(), [`pap ${packet(3, 3, "00")}`, `lcp ${packet(5, 2)}`]);
        peer.link.authenticated({ outcome: "success", message: "" });
        assert.deepEqual(peer.take(), []);
        peer.run(6000);
        assert.equal(peer.ended()?.reason, "authentication-unanswered");
    });

    test("malformed credentials are no attempt", () => {
        const peer = newPeer().say("pap", packet(1, 3, "05 55"));
        assert.equal(peer.attempts.length, 0);
        assert.equal(peer.link.discarded.malformed, 1);
        peer.say("pap", request(4));
        assert.equal(peer.attempts.length, 1);
    });

    test("only requests are for the server", () => {
        const peer = newPeer().say("pap", packet(2, 3, "00"));
        assert.equal(peer.link.discarded.unexpected, 1);
    });
});
