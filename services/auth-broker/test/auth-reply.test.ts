import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthFailureReason, AuthResult } from "@postern/contracts";
import { generateKeyPair, open, SealError } from "@postern/sealing";
import { rejection } from "../src/auth-backend.ts";
import { acceptReply, challengeReply, rejectReply, retryableRefusal } from "../src/auth-reply.ts";
import { openSubmission } from "../src/submission.ts";
import { LoginClient } from "./login-client.ts";

const keys = generateKeyPair();
const acceptance = { outcome: "accept", principal: "alice", groups: ["staff"], policy: { pool: "default" } } as const;
const hlak = Uint8Array.from({ length: 32 }, (_, at) => at);

test("an accept carries the key sealed for the worker, and PAP's carries none", () => {
    const client = new LoginClient({ brokerKey: keys.publicKey, user: "alice", password: "secret" });
    const opened = openSubmission(keys.privateKey, client.mschapv2(3));
    assert.ok(typeof opened !== "string");
    const reply = acceptReply(opened, { ...acceptance, keys: { authenticatorResponse: "S=00", hlak } }, "local");
    AuthResult.parse(reply);
    assert.ok(reply.hlak);
    assert.deepEqual(open(client.reply.privateKey, reply.hlak, `hlak ${client.session} 3`), hlak);
    const without = acceptReply(opened, acceptance, "local");
    assert.equal("hlak" in without || "authenticatorResponse" in without, false);
    const badKey = { ...opened, replyKey: new Uint8Array(32) };
    const withKeys = { ...acceptance, keys: { authenticatorResponse: "S=00", hlak } };
    assert.throws(() => acceptReply(badKey, withKeys, "local"), SealError);
});

const errors: Readonly<Record<string, number | undefined>> = {
    "bad-credentials": 691,
    "unknown-user": 691,
    "account-locked": 691,
    "account-disabled": 647,
    "password-expired": 648,
    "restricted-hours": 646,
    "method-not-allowed": 649,
    "no-session-keys": 691,
    malformed: 691,
};

for (const reason of AuthFailureReason.options) {
    test(`${reason} is ${errors[reason] ?? "not an answer to the credentials"}`, () => {
        const mschapv2 = AuthResult.parse(rejectReply(rejection(reason, "detail for the audit"), "mschapv2"));
        assert.equal(mschapv2.state, "reject");
        assert.equal(mschapv2.reason, reason);
        assert.equal(mschapv2.mschapError?.error, errors[reason]);
        assert.equal(mschapv2.mschapError?.retry ?? false, false);
        const pap = rejectReply(rejection(reason, "detail for the audit"), "pap");
        assert.equal(pap.mschapError, undefined);
        assert.doesNotMatch(JSON.stringify([mschapv2, pap]), /audit/);
    });
}

test("the client cannot tell a locked or unknown user from a wrong password", () => {
    const told = (["bad-credentials", "unknown-user", "account-locked"] as const).map((reason) => {
        const { message, mschapError } = rejectReply(rejection(reason, ""), "mschapv2");
        return { message, mschapError };
    });
    assert.deepEqual(told[1], told[0]);
    assert.deepEqual(told[2], told[0]);
});

test("what the backend says itself is passed on", () => {
    const mschap = { error: 646, message: "not at night" };
    const reply = rejectReply({ ...rejection("bad-credentials", ""), mschap }, "mschapv2");
    assert.deepEqual(reply.mschapError, { error: 646, message: "not at night", retry: false });
    assert.equal(retryableRefusal({ ...rejection("bad-credentials", ""), mschap }), undefined);
});

test("another try is worth while after a guess and after nothing else", () => {
    const worthWhile = AuthFailureReason.options.filter(
        (reason) => retryableRefusal(rejection(reason, "")) !== undefined,
    );
    assert.deepEqual(worthWhile, ["bad-credentials", "unknown-user", "account-locked"]);
});

test("a challenge says R=1 and what to answer", () => {
    const question = { outcome: "challenge", kind: "mschap", mschap: { error: 691, message: "again" } } as const;
    const answer = (): never => assert.fail("nobody has answered");
    const reply = AuthResult.parse(challengeReply({ ...question, challenge: new Uint8Array(16), answer }));
    assert.ok(reply.state === "challenge" && reply.kind === "mschap");
    assert.deepEqual(reply.mschapError, {
        error: 691,
        message: "again",
        retry: true,
        challenge: "AAAAAAAAAAAAAAAAAAAAAA==",
    });
});
