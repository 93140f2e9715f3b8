// What every AuthBackend has to do; each implementation's test is a way to set one up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { generateKeyPair } from "@postern/sealing";
import { eventually } from "@postern/testkit";
import fc from "fast-check";
import type { AuthFailureReason } from "@postern/contracts";
import type { Acceptance, AttemptCredentials, AuthAttempt, AuthBackend, Verdict } from "../src/auth-backend.ts";
import { openSubmission } from "../src/submission.ts";
import { LoginClient } from "./login-client.ts";

export interface BackendMember {
    readonly backend: AuthBackend;
    /** A user that it knows, under the canonical name; absent where nothing can be decided. */
    readonly knows?: { readonly user: string; readonly password: string };
    /** Moves the time on which the backend waits, if it does not wait for real work. */
    readonly passTime?: () => Promise<void>;
}

type Method = "pap" | "mschapv2";

export interface BackendNature {
    /** What it can check; default both. */
    readonly methods?: readonly [Method, ...Method[]];
    /** Whether names may be written in any case; default yes. */
    readonly ignoresCase?: boolean;
    /** What it says of a user that it does not know; default `unknown-user`. */
    readonly unknown?: AuthFailureReason;
}

const seal = generateKeyPair();
const never = new AbortController().signal;

function attemptOf(method: Method, client: LoginClient, challenge?: Uint8Array): AuthAttempt {
    const opened = openSubmission(seal.privateKey, method === "pap" ? client.pap() : client.mschapv2(1, challenge));
    assert.ok(typeof opened !== "string");
    return { ...opened.attempt, identify: () => undefined };
}

const clientOf = (user: string, password: string): LoginClient =>
    new LoginClient({ brokerKey: seal.publicKey, user, password });

export function testAuthBackend(
    name: string,
    setup: () => Promise<BackendMember>,
    { methods = ["pap", "mschapv2"], ignoresCase = true, unknown: ofUnknown = "unknown-user" }: BackendNature = {},
): void {
    /** Waits for a verdict, answering challenges and moving time. */
    async function decide(
        { backend, passTime }: BackendMember,
        method: Method,
        client: LoginClient,
        signal = never,
    ): Promise<Exclude<Verdict, { outcome: "challenge" }>> {
        let deciding = backend.authenticate(attemptOf(method, client), signal);
        for (;;) {
            const verdict = await settle(deciding, passTime);
            if (verdict.outcome !== "challenge") return verdict;
            assert.ok(verdict.kind === "mschap" && verdict.challenge.length === 16);
            deciding = verdict.answer(attemptOf(method, client, verdict.challenge), signal);
        }
    }

    async function settle<T>(promise: Promise<T>, passTime: (() => Promise<void>) | undefined): Promise<T> {
        if (passTime === undefined) return promise;
        let done = false;
        const settled = promise.finally(() => (done = true));
        settled.catch(() => undefined); // awaited below
        const look = async (): Promise<boolean> => {
            if (!done) await passTime();
            return done;
        };
        await eventually(look, { every: 1 });
        return settled;
    }

    async function accepted(member: BackendMember, method: Method, client: LoginClient): Promise<Acceptance> {
        const verdict = await decide(member, method, client);
        assert.equal(verdict.outcome, "accept");
        return verdict;
    }

    for (const method of methods) {
        test(`${name}, ${method}: who knows the password is accepted, under the verified name`, async () => {
            const member = await setup();
            if (member.knows === undefined) return cannotDecide(member);
            const { user, password } = member.knows;
            const verdict = await accepted(member, method, clientOf(ignoresCase ? user.toUpperCase() : user, password));
            assert.equal(verdict.principal, user);
            assert.equal(
                verdict.keys === undefined,
                method === "pap",
                "keys come from MS-CHAPv2 and from nothing else",
            );
            if (verdict.keys === undefined) return;
            assert.match(verdict.keys.authenticatorResponse ?? "", /^S=[0-9A-F]{40}$/);
            assert.equal(verdict.keys.hlak.length, 32);
        });

        test(`${name}, ${method}: a wrong password and an unknown user are refused, with a reason and no secret`, async () => {
            const member = await setup();
            if (member.knows === undefined) return cannotDecide(member);
            const wrong = await decide(member, method, clientOf(member.knows.user, "no-such-password"));
            assert.equal(wrong.outcome === "reject" && wrong.reason, "bad-credentials");
            const unknown = await decide(member, method, clientOf("no-such-user", member.knows.password));
            assert.equal(unknown.outcome === "reject" && unknown.reason, ofUnknown);
            for (const verdict of [wrong, unknown]) {
                assert.doesNotMatch(JSON.stringify(verdict), /no-such-password/);
                assert.ok(!JSON.stringify(verdict).includes(member.knows.password));
            }
        });

        test(`${name}, ${method}: attempts at the same time do not disturb one another`, async () => {
            const member = await setup();
            if (member.knows === undefined) return cannotDecide(member);
            const { user, password } = member.knows;
            const verdicts = await Promise.all(
                ["no", password, "no", password].map((text) => decide(member, method, clientOf(user, text))),
            );
            assert.deepEqual(
                verdicts.map((verdict) => verdict.outcome),
                ["reject", "accept", "reject", "accept"],
            );
        });

        test(`${name}, ${method}: an attempt that nobody waits for any more comes to an end`, async () => {
            const member = await setup();
            const abort = new AbortController();
            const { user, password } = member.knows ?? { user: "anybody", password: "anything" };
            const deciding = decide({ backend: member.backend }, method, clientOf(user, password), abort.signal);
            abort.abort();
            await deciding.catch((error: unknown) => assert.ok(error instanceof DependencyError));
        });
    }

    test(`${name}: whatever a client sends, there is a verdict or a DependencyError`, async () => {
        const member = await setup();
        const identity = fc.oneof(fc.string({ unit: "binary", maxLength: 64 }), fc.constantFrom("a\\b@c", "\\", "@"));
        const mschapv2 = fc.record({
            method: fc.constant("mschapv2" as const),
            identity,
            ident: fc.nat({ max: 255 }),
            challenge: fc.uint8Array({ minLength: 16, maxLength: 16 }),
            response: fc.uint8Array({ minLength: 49, maxLength: 49 }),
        });
        const pap = fc.record({
            method: fc.constant("pap" as const),
            identity,
            password: fc.uint8Array({ maxLength: 8 }),
        });
        const credentials: fc.Arbitrary<AttemptCredentials> = fc.oneof(
            ...(methods.includes("mschapv2") ? [{ arbitrary: mschapv2, weight: 7 }] : []),
            ...(methods.includes("pap") ? [{ arbitrary: pap, weight: 1 }] : []),
        );
        const basis = attemptOf(methods[0], clientOf("x", "y"));
        await fc.assert(
            fc.asyncProperty(credentials, async (hostile) => {
                try {
                    const deciding = member.backend.authenticate({ ...basis, credentials: hostile }, never);
                    const verdict = await settle(deciding, member.passTime);
                    assert.notEqual(verdict.outcome, "accept");
                } catch (error) {
                    assert.ok(error instanceof DependencyError);
                }
            }),
            { numRuns: 50 },
        );
    });

    test(`${name}: readiness is a sentence or nothing`, async () => {
        const { backend, knows } = await setup();
        assert.match(backend.name, /^[a-z0-9-]+$/);
        assert.equal(backend.readiness() === undefined, knows !== undefined);
    });

    async function cannotDecide(member: BackendMember): Promise<void> {
        const deciding = member.backend.authenticate(attemptOf("pap", clientOf("anybody", "anything")), never);
        await assert.rejects(settle(deciding, member.passTime), DependencyError);
    }
}
