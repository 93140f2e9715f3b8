import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeLatin1, fromHex, toHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import type { ServerLinkOptions } from "@postern/ppp";
import { packet, RawPeer } from "./support/raw-peer.ts";

const text = (data: string): string => toHex(encodeLatin1(data));
const IDENTITY_REQUEST = `eap ${packet(1, 1, "01")}`;
const identity = (identifier: number, name = "alice"): string => packet(2, identifier, `01${text(name)}`);
const REQUEST = packet(1, 9, "1a01020304");
const RESPONSE = packet(2, 9, "1a05060708");
const LAST_REQUEST = packet(1, 10, "1a04090900");
const FAILURE = { outcome: "failure", failure: { error: 691, retry: false, message: "no" } } as const;
const hex = (digits: string): Uint8Array => fromHex(digits.replaceAll(" ", ""));
const request = (packetHex = REQUEST) => ({ outcome: "eap-request", packet: hex(packetHex) }) as const;

const newPeer = (options: Partial<ServerLinkOptions> = {}): RawPeer =>
    new RawPeer({ authentication: ["eap"], ...options });

/** LCP is open, and the Identity-Request out. */
function opened(options: Partial<ServerLinkOptions> = {}): RawPeer {
    const peer = newPeer(options);
    const [first = ""] = peer.take();
    assert.match(first, /0304c227/);
    peer.say("lcp", first.slice("lcp ".length).replace(/^01/, "02")).say("lcp", packet(1, 0x70, "010405dc"));
    const [, identityRequest] = peer.take();
    assert.equal(identityRequest, IDENTITY_REQUEST);
    return peer;
}

const identified = (options: Partial<ServerLinkOptions> = {}): RawPeer => opened(options).say("eap", identity(1));

/** A Request of the authentication server is out. */
function asked(options: Partial<ServerLinkOptions> = {}): RawPeer {
    const peer = identified(options);
    peer.link.authenticated(request());
    assert.deepEqual(peer.take(), [`eap ${REQUEST}`]);
    return peer;
}

describe("EAP", () => {
    test("hands on the Response whole and without padding, and the claimed name without what is behind a NUL", () => {
        const peer = opened().say("eap", `${identity(1, "alice\0nasid=x")}0000`);
        const whole = hex(identity(1, "alice\0nasid=x"));
        assert.deepEqual(peer.attempts, [{ method: "eap", user: "alice", packet: whole }]);
        assert.equal(peer.link.user, "alice");
    });

    test("passes Requests and Responses through, unread", () => {
        const peer = asked().say("eap", RESPONSE);
        assert.deepEqual(peer.attempts.at(-1), { method: "eap", user: "alice", packet: hex(RESPONSE) });
        peer.link.authenticated({ outcome: "success", message: "" });
        assert.deepEqual(peer.take(), [`eap ${packet(3, 9)}`], "with the identifier of the Response");
        assert.equal(peer.link.phase, "network");
    });

    test("repeats the Identity-Request every five seconds, three in all, then gives up", () => {
        const peer = opened();
        peer.run(14_999);
        assert.deepEqual(peer.take(), [IDENTITY_REQUEST, IDENTITY_REQUEST]);
        peer.run(1).run(6_000);
        assert.equal(peer.ended()?.reason, "authentication-timeout");
    });

    test("repeats the same later Request, then waits for a person", () => {
        const peer = asked({ attemptTimeoutMs: 60_000 });
        peer.run(69_999);
        assert.deepEqual(peer.take(), [`eap ${REQUEST}`, `eap ${REQUEST}`]);
        assert.equal(peer.link.phase, "authenticate");
        peer.run(1).run(6_000);
        assert.equal(peer.ended()?.reason, "authentication-timeout");
    });

    test("waits as long as the authentication server says before it repeats", () => {
        const peer = identified();
        peer.link.authenticated({ ...request(), timeoutMs: 30_000 });
        peer.take();
        peer.run(29_999);
        assert.deepEqual(peer.take(), []);
        peer.run(1);
        assert.deepEqual(peer.take(), [`eap ${REQUEST}`]);
    });

    test("a Response repeated while it is decided about is one attempt, afterwards it gets the same Request", () => {
        const peer = identified().say("eap", identity(1));
        assert.deepEqual([peer.attempts.length, peer.take()], [1, []]);
        peer.link.authenticated(request());
        peer.take();
        assert.deepEqual(peer.say("eap", identity(1)).take(), [`eap ${REQUEST}`]);
        assert.equal(peer.attempts.length, 1);
    });

    test("a Response repeated after the end gets the same result, also while the link ends", () => {
        const accepted = asked().say("eap", RESPONSE);
        accepted.link.authenticated({ outcome: "success", message: "" });
        accepted.take();
        assert.deepEqual(accepted.say("eap", RESPONSE).take(), [`eap ${packet(3, 9)}`]);
        const refused = asked().say("eap", RESPONSE);
        refused.link.authenticated(FAILURE);
        refused.take();
        assert.deepEqual(refused.say("eap", RESPONSE).take(), [`eap ${packet(4, 9)}`]);
        assert.equal(accepted.attempts.length + refused.attempts.length, 4);
    });

    test("discards a Response with another identifier, one without a type, Requests, and anything but Identity at first", () => {
        const peer = opened();
        peer.say("eap", packet(2, 1, "0300"))
            .say("eap", packet(2, 1))
            .say("eap", identity(2))
            .say("eap", REQUEST);
        assert.equal(peer.attempts.length, 0);
        assert.deepEqual(peer.link.discarded, { malformed: 1, phase: 0, unexpected: 3 });
    });

    test("a failure is EAP-Failure and the link's end", () => {
        const peer = asked().say("eap", RESPONSE);
        peer.link.authenticated(FAILURE);
        assert.deepEqual(peer.take(), [`eap ${packet(4, 9)}`, `lcp ${packet(5, 2)}`]);
        peer.say("lcp", packet(6, 2));
        assert.deepEqual(peer.ended(), { reason: "authentication-failed", detail: "error 691" });
    });

    test("a failure that is explained waits for the client's answer, whatever it is, and not for ever", () => {
        const explained = (): RawPeer => {
            const peer = asked().say("eap", RESPONSE);
            peer.link.authenticated({ ...FAILURE, eapRequest: hex(LAST_REQUEST) });
            assert.deepEqual(peer.take(), [`eap ${LAST_REQUEST}`]);
            return peer;
        };
        const answered = explained().say("eap", packet(2, 10, "1a04"));
        assert.deepEqual(answered.take(), [`eap ${packet(4, 10)}`, `lcp ${packet(5, 2)}`]);
        assert.equal(answered.attempts.length, 2, "that answer is for nobody");
        const silent = explained();
        silent.run(5_000);
        assert.deepEqual(silent.take(), [`eap ${packet(4, 10)}`, `lcp ${packet(5, 2)}`]);
    });

    test("nobody decides: EAP-Failure after the time for an attempt, and a later decision is ignored", () => {
        const peer = identified({ attemptTimeoutMs: 20_000 });
        peer.run(20_000);
        assert.deepEqual(peer.take(), [`eap ${packet(4, 1)}`, `lcp ${packet(5, 2)}`]);
        peer.link.authenticated({ outcome: "success", message: "" });
        assert.notEqual(peer.link.phase, "network");
    });

    test("cannot be begun anew: a lost decision is a failure", () => {
        const peer = asked().say("eap", RESPONSE);
        peer.link.authenticated({ outcome: "challenge-again" });
        assert.deepEqual(peer.take(), [`eap ${packet(4, 9)}`, `lcp ${packet(5, 2)}`]);
    });

    test("LCP may not start over once a name was claimed", () => {
        const peer = identified().say("lcp", packet(1, 0x71, "010405dc"));
        peer.take();
        peer.say("lcp", packet(6, 2));
        assert.equal(peer.ended()?.reason, "renegotiation-refused");
    });

    test("what is not an EAP Request is the caller's mistake", () => {
        for (const wrong of [RESPONSE, packet(1, 9), `${REQUEST}00`, ""]) {
            assert.throws(() => identified().link.authenticated(request(wrong)), InvariantError, wrong);
        }
    });
});

for (const method of ["pap", "chap", "mschapv2"] as const) {
    test(`an EAP Request for a link with ${method} is the caller's mistake`, () => {
        const peer = new RawPeer({ authentication: [method] }).openLcp();
        if (method === "pap") peer.say("pap", packet(1, 1, "0161 0162"));
        else peer.say("chap", packet(2, 1, method === "chap" ? `10${"11".repeat(16)}` : `31${"11".repeat(49)}`));
        assert.equal(peer.attempts.length, 1);
        assert.throws(() => peer.link.authenticated(request()), InvariantError);
    });
}
