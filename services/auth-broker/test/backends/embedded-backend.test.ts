import assert from "node:assert/strict";
import { test } from "node:test";
import { changeAccount, openAccount } from "@postern/accounts";
import type { AuthStartQuestion } from "@postern/contracts";
import { generateKeyPair } from "@postern/sealing";
import type { AuthAttempt, Verdict } from "../../src/auth-backend.ts";
import { openSubmission } from "../../src/submission.ts";
import { embeddedRig } from "../embedded-rig.ts";
import { LoginClient } from "../login-client.ts";

const seal = generateKeyPair();
const never = new AbortController().signal;
const rig = await embeddedRig([
    { user: "alice", password: "correct horse", groups: ["staff"], policy: { pool: "vip" } },
    { user: "eve", password: "correct horse", disabled: true },
]);
const { backend } = rig;

const client = (user: string, password: string): LoginClient =>
    new LoginClient({ brokerKey: seal.publicKey, user, password });

function attemptOf(question: AuthStartQuestion): AuthAttempt {
    const opened = openSubmission(seal.privateKey, question);
    assert.ok(typeof opened !== "string");
    return { ...opened.attempt, identify: () => undefined };
}

const authenticate = (question: AuthStartQuestion): Promise<Verdict> =>
    backend.authenticate(attemptOf(question), never);

const reasonOf = (verdict: Verdict): string => (verdict.outcome === "reject" ? verdict.reason : verdict.outcome);

for (const claimed of ["alice", "ALICE", "CORP\\Alice", "corp\\alice", "alice@corp"]) {
    test(`${claimed} is alice, by either method, with her groups and policy`, async () => {
        for (const method of ["pap", "mschapv2"] as const) {
            const verdict = await authenticate(client(claimed, "correct horse")[method]());
            assert.equal(verdict.outcome, "accept");
            assert.equal(verdict.principal, "alice");
            assert.deepEqual(verdict.groups, ["staff"]);
            assert.deepEqual(verdict.policy, { pool: "vip" });
        }
    });
}

test("a foreign domain is another user", async () => {
    assert.equal(reasonOf(await authenticate(client("OTHER\\alice", "correct horse").mschapv2())), "unknown-user");
});

test("only who knows the password learns that the account is disabled", async () => {
    for (const method of ["pap", "mschapv2"] as const) {
        assert.equal(reasonOf(await authenticate(client("eve", "correct horse")[method]())), "account-disabled");
        assert.equal(reasonOf(await authenticate(client("eve", "wrong")[method]())), "bad-credentials");
    }
});

test("the decoy's name is not a user, whatever its password", async () => {
    assert.equal(reasonOf(await authenticate(client("decoy", "of nobody").pap())), "unknown-user");
    assert.equal(reasonOf(await authenticate(client("nobody", "of nobody").mschapv2())), "unknown-user");
});

test("a response to another challenge does not count", async () => {
    const attempt = attemptOf(client("alice", "correct horse").mschapv2());
    assert.equal(attempt.credentials.method, "mschapv2");
    const { credentials } = attempt;
    const replayed = { ...attempt, credentials: { ...credentials, challenge: new Uint8Array(16) } };
    assert.equal(reasonOf(await backend.authenticate(replayed, never)), "bad-credentials");
});

test("a changed account is what counts from then on", async () => {
    const { bucket, cipher, backend: fresh } = await embeddedRig([{ user: "bob", password: "secret" }]);
    const attempt = () => fresh.authenticate(attemptOf(client("bob", "secret").mschapv2()), never);
    assert.equal(reasonOf(await attempt()), "accept");
    const record = (await bucket.get("bob"))?.value;
    assert.ok(record);
    assert.equal(openAccount(cipher, record).disabled, false);
    await bucket.put("bob", changeAccount(cipher, record, { disabled: true }));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(reasonOf(await attempt()), "account-disabled");
});

test("when too many wait for a hash, PAP is throttled and MS-CHAPv2 goes on", async () => {
    const { backend: busy } = await embeddedRig([{ user: "bob", password: "secret" }], { concurrency: 1, waiting: 1 });
    const pap = Array.from({ length: 4 }, () => busy.authenticate(attemptOf(client("bob", "secret").pap()), never));
    const mschapv2 = await busy.authenticate(attemptOf(client("bob", "secret").mschapv2()), never);
    assert.equal(reasonOf(mschapv2), "accept");
    assert.deepEqual((await Promise.all(pap)).map(reasonOf), ["accept", "accept", "throttled", "throttled"]);
});

/** The ratio of the middle durations of two kinds of attempt, made in turns so that the host's noise meets both. */
async function ratioOfMedians(rounds: number, first: () => Promise<unknown>, second: () => Promise<unknown>) {
    const durations: readonly [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
        for (const [kind, attempt] of [first, second].entries()) {
            const startedAt = performance.now();
            await attempt();
            durations[kind === 0 ? 0 : 1].push(performance.now() - startedAt);
        }
    }
    const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
    return median(durations[0]) / median(durations[1]);
}

for (const [method, rounds] of [
    ["pap", 15],
    ["mschapv2", 400],
] as const) {
    test(`${method}: an unknown user takes as long as a wrong password`, async (context) => {
        const known = attemptOf(client("alice", "wrong")[method]());
        const unknown = attemptOf(client("nobody", "wrong")[method]());
        const ratio = await ratioOfMedians(
            rounds,
            () => backend.authenticate(known, never),
            () => backend.authenticate(unknown, never),
        );
        context.diagnostic(`known / unknown = ${ratio.toFixed(3)}`);
        // Without the decoy it is above 10 for MS-CHAPv2 and above 1000 for PAP.
        assert.ok(ratio > 0.5 && ratio < 2, `known users take ${ratio} times as long as unknown ones`);
    });
}
