import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { encodeLatin1 } from "@postern/bytes";
import { decodeEapPacket, decodeMschapv2Request, EAP_CODE, EAP_TYPE, encodeEapPacket } from "@postern/eap";
import { ntPasswordHash, verifyMschapv2 } from "@postern/ppp";
import { EapMschapv2Peer } from "@postern/sstp-client";
import fc from "fast-check";
import { rejection, type AuthAttempt, type Rejection, type Verdict } from "../../src/auth-backend.ts";
import { digests } from "../../src/digests.ts";
import { serveEapMschapv2 } from "../../src/eap/mschapv2-server.ts";

const never = new AbortController().signal;
const PASSWORD = "correct horse";

function rig({ refusal }: { readonly refusal?: Rejection } = {}) {
    const identified: string[] = [];
    let asked = 0;
    const step = serveEapMschapv2({
        random: (size) => new Uint8Array(randomBytes(size)),
        serverName: encodeLatin1("test"),
        verify: ({ identity, challenge, response }) => {
            asked += 1;
            const verdict = verifyMschapv2(digests, ntPasswordHash(PASSWORD), { user: identity, challenge, response });
            if (verdict === undefined) return Promise.resolve(rejection("bad-credentials", "wrong password"));
            const keys = { authenticatorResponse: verdict.message, hlak: verdict.hlak };
            const policy = { pool: "default" };
            return Promise.resolve({ outcome: "accept", principal: "alice", groups: [], policy, keys });
        },
    });
    const attempt = (packet: Uint8Array, outer = "anonymous"): AuthAttempt => ({
        session: "abcdefgh",
        attempt: 1,
        worker: "w1",
        client: { address: "192.0.2.1", port: 1 },
        credentials: { method: "eap", identity: outer, packet },
        identify: (identity) => {
            identified.push(identity);
            return refusal;
        },
    });
    return { step, attempt, identified, asked: () => asked };
}

const IDENTITY_REQUEST = encodeEapPacket({
    code: EAP_CODE.request,
    identifier: 255,
    type: EAP_TYPE.identity,
    data: new Uint8Array(0),
});

/** As client and link do it, until there is a decision. */
async function login(peer: EapMschapv2Peer, world = rig()): Promise<Exclude<Verdict, { outcome: "challenge" }>> {
    let { step } = world;
    let request = IDENTITY_REQUEST;
    for (;;) {
        const response = peer.respond(request);
        assert.ok(response, "the client does not answer");
        const verdict = await step(world.attempt(response), never);
        if (verdict.outcome !== "challenge") return verdict;
        assert.ok(verdict.kind === "eap");
        assert.equal(verdict.packet[1], ((request[1] ?? 0) + 1) & 0xff, "each Request has an identifier of its own");
        ({ answer: step, packet: request } = verdict);
    }
}

const peerOf = (password: string, user = String.raw`CORP\alice`): EapMschapv2Peer =>
    new EapMschapv2Peer({ user, password }, "anonymous");

test("who knows the password is accepted, and both sides have the same key", async () => {
    const world = rig();
    const peer = peerOf(PASSWORD);
    const verdict = await login(peer, world);
    assert.ok(verdict.outcome === "accept" && verdict.principal === "alice");
    assert.deepEqual(verdict.keys?.hlak, peer.hlak);
    assert.equal(verdict.keys?.authenticatorResponse, undefined, "it went to the client inside of EAP");
    assert.equal(peer.hlak?.length, 32);
    assert.deepEqual(world.identified, [String.raw`CORP\alice`], "the name inside, not the outer identity");
});

test("a wrong password is told with E=691 R=0 in a last Request, and is one guess", async () => {
    const world = rig();
    const peer = peerOf("wrong");
    const verdict = await login(peer, world);
    assert.ok(verdict.outcome === "reject" && verdict.reason === "bad-credentials" && verdict.eapPacket);
    const packet = decodeEapPacket(verdict.eapPacket);
    assert.ok(packet.code === EAP_CODE.request && packet.type === EAP_TYPE.mschapv2);
    const failure = decodeMschapv2Request(packet.data);
    assert.ok(failure.op === "failure");
    assert.match(failure.message, /^E=691 R=0 C=[0-9A-F]{32} V=3 M=/);
    assert.ok(peer.respond(verdict.eapPacket), "the client takes note");
    assert.equal(peer.refusal, "error 691 Authentication failed");
    assert.equal(world.asked(), 1);
});

test("a user who may not try now is refused before the response is looked at, and learns nothing more", async () => {
    const world = rig({ refusal: rejection("account-locked", "locked") });
    const verdict = await login(peerOf(PASSWORD), world);
    assert.ok(verdict.outcome === "reject" && verdict.reason === "account-locked" && verdict.eapPacket);
    assert.equal(world.asked(), 0);
});

test("nobody could decide: no word about the credentials", async () => {
    const verdict = await login(peerOf(PASSWORD), rig({ refusal: rejection("throttled", "too many") }));
    assert.ok(verdict.outcome === "reject" && verdict.eapPacket === undefined);
});

test("a client that wants another method is told so in the record", async () => {
    const world = rig();
    const first = await world.step(world.attempt(peerOf("x").respond(IDENTITY_REQUEST) ?? new Uint8Array(0)), never);
    assert.ok(first.outcome === "challenge" && first.kind === "eap");
    const identifier = first.packet[1] ?? 0;
    const answer = (type: number, ...data: readonly number[]): Promise<Verdict> => {
        const nak = encodeEapPacket({ code: EAP_CODE.response, identifier, type, data: Uint8Array.from(data) });
        return first.answer(world.attempt(nak), never);
    };
    for (const [verdict, detail] of [
        [await answer(EAP_TYPE.nak, 25, 13), /EAP type 25, 13/],
        [await answer(EAP_TYPE.expanded, 0, 0, 0, 0, 0, 0, 3), /another EAP method/],
    ] as const) {
        assert.ok(verdict.outcome === "reject" && verdict.reason === "method-not-allowed");
        assert.match(verdict.detail, detail);
    }
});

test("a client that does not confirm our proof does not get in", async () => {
    const world = rig();
    const peer = peerOf(PASSWORD);
    let { step } = world;
    let request = IDENTITY_REQUEST;
    for (let round = 0; round < 2; round += 1) {
        const verdict = await step(world.attempt(peer.respond(request) ?? new Uint8Array(0)), never);
        assert.ok(verdict.outcome === "challenge" && verdict.kind === "eap");
        ({ answer: step, packet: request } = verdict);
    }
    const identifier = request[1] ?? 0;
    for (const [type, data] of [
        [EAP_TYPE.mschapv2, Uint8Array.of(4)],
        [EAP_TYPE.nak, Uint8Array.of(13)],
        [EAP_TYPE.mschapv2, new Uint8Array(0)],
    ] as const) {
        const verdict = await step(
            world.attempt(encodeEapPacket({ code: EAP_CODE.response, identifier, type, data })),
            never,
        );
        assert.ok(verdict.outcome === "reject" && verdict.reason === "malformed");
    }
});

test("whatever a client answers, there is a verdict, and nobody gets in without the password", async () => {
    const world = rig();
    const types = fc.constantFrom(1, 2, 3, 26, 26, 26, 254);
    await fc.assert(
        fc.asyncProperty(
            fc.array(fc.tuple(types, fc.uint8Array({ maxLength: 70 })), { maxLength: 4 }),
            async (answers) => {
                let { step } = world;
                let identifier = 1;
                for (const [type, data] of answers) {
                    const packet = encodeEapPacket({ code: EAP_CODE.response, identifier, type, data });
                    const verdict = await step(world.attempt(packet), never);
                    assert.notEqual(verdict.outcome, "accept");
                    if (verdict.outcome !== "challenge" || verdict.kind !== "eap") return;
                    step = verdict.answer;
                    identifier = verdict.packet[1] ?? 0;
                }
            },
        ),
    );
});
