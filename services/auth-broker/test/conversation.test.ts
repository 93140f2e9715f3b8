import assert from "node:assert/strict";
import { test } from "node:test";
import type { Judgement } from "../src/authenticator.ts";
import { Conversation } from "../src/conversation.ts";
import { testClock } from "./test-clock.ts";

const APPLICANT = { session: "abcdefgh", worker: "w1", client: { address: "192.0.2.1", port: 1 } };
const challenge: Judgement = {
    result: { state: "challenge", kind: "mschap", mschapError: { error: 691, retry: true, message: "" } },
    next: () => Promise.reject(new Error("not called")),
};
const refused: Judgement = { result: { state: "reject", reason: "bad-credentials", message: "" } };

test("each attempt keeps its own result; a poll gets the last one's", async () => {
    const clock = testClock();
    const conversation = new Conversation("c1", APPLICANT, clock);
    await conversation.begin(1, Promise.resolve(challenge));
    assert.equal(conversation.isUndecided, false);
    assert.equal(conversation.next, challenge.next);
    await conversation.begin(2, Promise.resolve(refused));
    assert.equal(conversation.next, undefined);
    assert.equal(await conversation.answer(0, 1), challenge.result);
    assert.equal(await conversation.answer(0, 2), refused.result);
    assert.equal(await conversation.answer(0), refused.result);
    assert.deepEqual(await conversation.answer(0, 3), { state: "pending" });
    assert.deepEqual([...conversation.attempts], [1, 2]);
});

test("of a long conversation only the last two results are kept, and every attempt is known", async () => {
    const conversation = new Conversation("c1", APPLICANT, testClock());
    for (const attempt of [1, 2, 3]) await conversation.begin(attempt, Promise.resolve(challenge));
    assert.deepEqual(await conversation.answer(0, 1), { state: "pending" });
    assert.equal(await conversation.answer(0, 2), challenge.result);
    assert.equal(await conversation.answer(0, 3), challenge.result);
    assert.deepEqual([...conversation.attempts], [1, 2, 3]);
});

test("who waits gets the result when it is there, all of them", async () => {
    const clock = testClock();
    const conversation = new Conversation("c1", APPLICANT, clock);
    const { promise, resolve } = Promise.withResolvers<Judgement>();
    void conversation.begin(1, promise);
    assert.equal(conversation.isUndecided, true);
    const waiting = [conversation.answer(20_000), conversation.answer(10_000, 1)];
    await clock.fake.advanceAsync(5_000);
    resolve(refused);
    assert.deepEqual(await Promise.all(waiting), [refused.result, refused.result]);
    assert.equal(clock.fake.pending, 0);
});

test("the end says why", () => {
    const conversation = new Conversation("c1", APPLICANT, testClock());
    assert.equal(conversation.signal.aborted, false);
    conversation.end("stopping");
    conversation.end("timeout");
    assert.equal(conversation.signal.reason, "stopping");
});
