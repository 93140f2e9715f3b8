import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBase64, generateKeyPair, seal } from "@postern/sealing";
import { openSubmission, type OpenedSubmission } from "../src/submission.ts";
import { LoginClient } from "./login-client.ts";

const keys = generateKeyPair();
const client = () => new LoginClient({ brokerKey: keys.publicKey, user: "alice", password: "secret" });

function complaintOf(opened: OpenedSubmission | string): string {
    assert.equal(typeof opened, "string");
    return opened as string; // asserted above
}

test("a password comes out as the client sent it", () => {
    const opened = openSubmission(keys.privateKey, client().pap());
    assert.ok(typeof opened !== "string");
    assert.equal(opened.attempt.credentials.method, "pap");
    assert.equal(Buffer.from(opened.attempt.credentials.password).toString(), "secret");
    assert.equal(opened.replyKey.length, 32);
});

test("a password of another session or attempt is not taken", () => {
    const question = client().pap();
    for (const moved of [
        { ...question, session: "othersession" },
        { ...question, attempt: 2 },
    ]) {
        assert.match(complaintOf(openSubmission(keys.privateKey, moved)), /sealed to another key/);
    }
    assert.match(complaintOf(openSubmission(generateKeyPair().privateKey, question)), /brokerKey/);
});

test("what has the wrong size is named", () => {
    const question = client().mschapv2();
    const { credentials } = question;
    assert.equal(credentials.method, "mschapv2");
    const short = encodeBase64(new Uint8Array(15));
    const cases = [
        [{ ...question, replyKey: short }, /reply key is not 32 bytes/],
        [{ ...question, credentials: { ...credentials, challenge: short } }, /challenge is not 16 bytes/],
        [{ ...question, credentials: { ...credentials, response: short } }, /response is not 49 bytes/],
    ] as const;
    for (const [submission, complaint] of cases) {
        assert.match(complaintOf(openSubmission(keys.privateKey, submission)), complaint);
    }
});

test("a password that PAP could not carry is refused before it is opened", () => {
    const question = client().pap();
    const password = seal(keys.publicKey, new Uint8Array(2_000), `pap ${question.session} 1`);
    const submission = { ...question, credentials: { method: "pap", identity: "alice", password } } as const;
    assert.match(complaintOf(openSubmission(keys.privateKey, submission)), /too long for PAP/);
});
