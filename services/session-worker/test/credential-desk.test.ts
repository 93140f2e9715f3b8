import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "@postern/errors";
import { CredentialDesk } from "../src/credential-desk.ts";
import type { Decision, Submission } from "../src/session-ports.ts";
import { mschapAttempt, transport } from "./doubles.ts";

const REFUSED: Decision = { outcome: "refused", failure: { error: 691, retry: true, message: "no" } };

function world(decide: (submission: Submission) => Promise<Decision>) {
    const submitted: Submission[] = [];
    const decisions: Decision[] = [];
    const failures: unknown[] = [];
    const desk = new CredentialDesk({
        maxAttempts: 2,
        decide: (submission) => {
            submitted.push(submission);
            return decide(submission);
        },
        onDecision: (decision) => void decisions.push(decision),
        guard: (work) => {
            try {
                work();
            } catch (error) {
                failures.push(error);
            }
        },
    });
    const submit = async (): Promise<void> => {
        desk.submit("0123456789abcdef", transport(), mschapAttempt());
        await new Promise((resolve) => setImmediate(resolve));
    };
    return { desk, submit, submitted, decisions, failures };
}

test("attempts are counted, and beyond the last nobody is asked", async () => {
    const { submit, submitted, decisions } = world(async () => REFUSED);
    for (let times = 0; times < 3; times += 1) await submit();
    assert.deepEqual(
        submitted.map(({ number }) => number),
        [1, 2],
    );
    assert.deepEqual(
        decisions.map((decision) => decision.outcome === "refused" && decision.failure.message),
        ["no", "no", "Too many attempts"],
    );
});

test("the answer to a challenge goes with its conversation, and the conversation with one answer", async () => {
    const conversation = { conversation: "c", replica: "a1" };
    const decisions: Decision[] = [{ ...REFUSED, conversation }, REFUSED];
    const { submit, submitted } = world(async () => decisions.shift() ?? REFUSED);
    await submit();
    await submit();
    assert.deepEqual(
        submitted.map((submission) => submission.conversation),
        [undefined, conversation],
    );
});

test("closed: whoever decides is told, and the decision comes all the same", async () => {
    const { promise, resolve } = Promise.withResolvers<Decision>();
    const { desk, submit, submitted, decisions } = world(() => promise);
    await submit();
    assert.equal(submitted[0]?.signal.aborted, false);
    desk.close();
    assert.equal(submitted[0].signal.aborted, true);
    resolve(REFUSED);
    await new Promise((later) => setImmediate(later));
    assert.equal(decisions.length, 1);
});

test("a decision that is a defect ends this session and no other", async () => {
    const { submit, failures } = world(() => Promise.reject(new TypeError("a defect")));
    await submit();
    assert.ok(failures[0] instanceof InvariantError && failures[0].cause instanceof TypeError);
});
