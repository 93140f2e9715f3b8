import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "@postern/bytes";
import { DependencyError, InvariantError } from "@postern/errors";
import { rejection, type AuthAttempt, type AuthBackend, type Step, type Verdict } from "../../src/auth-backend.ts";
import { BackendChain, type ChainEntry, type ChainLink, type Skip } from "../../src/chain/backend-chain.ts";

const never = new AbortController().signal;
const accept: Verdict = { outcome: "accept", principal: "alice", groups: [], policy: { pool: "default" } };
const down = (): Promise<Verdict> => Promise.reject(new DependencyError("BUS_TIMEOUT", "no server answers"));

function attemptOf(identity: string, serverName?: string): AuthAttempt {
    return {
        session: "abcdefgh",
        attempt: 1,
        worker: "w1",
        client: { address: "192.0.2.1", port: 1 },
        credentials: { method: "pap", identity, password: encodeUtf8("secret") },
        identify: () => undefined,
        ...(serverName === undefined ? {} : { serverName }),
    };
}

/** A backend that does as it is told, and how often it was asked. */
function backendOf(name: string, step: () => Promise<Verdict>, reason?: string) {
    const asked: string[] = [];
    const authenticate: Step = ({ credentials }) => {
        asked.push(credentials.identity);
        return step();
    };
    const backend: AuthBackend = { name, authenticate, readiness: () => reason };
    return { backend, asked };
}

const link = (backend: AuthBackend, more: Partial<ChainLink> = {}): ChainLink => ({
    backend,
    unreachable: "deny",
    ...more,
});

function chainOf(entries: readonly ChainEntry[]) {
    const skips: Skip[] = [];
    return { chain: new BackendChain({ entries, onSkipped: (skip) => void skips.push(skip) }), skips };
}

test("the first entry that fits realm and server name decides, and its verdict says who it was", async () => {
    const names = ["suffix", "domain", "dialled", "rest"];
    const [suffix, domain, dialled, rest] = names.map((name) => backendOf(name, () => Promise.resolve(accept)));
    assert.ok(suffix && domain && dialled && rest);
    const { chain } = chainOf([
        { realm: "Corp.Example", links: [link(suffix.backend)] },
        { realm: "CORP", links: [link(domain.backend)] },
        { serverName: "vpn2.example", links: [link(dialled.backend)] },
        { links: [link(rest.backend)] },
    ]);
    const cases: readonly (readonly [string, string | undefined, string])[] = [
        ["alice@corp.example", undefined, "suffix"],
        ["alice@CORP.EXAMPLE", undefined, "suffix"],
        ["corp\\alice", undefined, "domain"],
        ["alice@corp", undefined, "domain"],
        ["alice@notcorp.example", "VPN2.example", "dialled"],
        ["corp.example", undefined, "rest"],
        ["\\corp", undefined, "rest"],
        ["alice@corp.example.net", "vpn.example", "rest"],
    ];
    for (const [identity, serverName, expected] of cases) {
        const verdict = await chain.authenticate(attemptOf(identity, serverName), never);
        assert.deepEqual(verdict, { ...accept, backend: expected }, identity);
    }
});

test("who has no entry is let in by nobody", async () => {
    const only = backendOf("only", () => Promise.resolve(accept));
    const { chain } = chainOf([{ realm: "corp.example", links: [link(only.backend)] }]);
    const verdict = await chain.authenticate(attemptOf("alice"), never);
    assert.equal(verdict.outcome === "reject" && verdict.reason, "unknown-user");
    assert.deepEqual(only.asked, []);
});

test("a refusal is final, also where the next backend would accept", async () => {
    const first = backendOf("first", () => Promise.resolve(rejection("bad-credentials", "wrong")));
    const second = backendOf("second", () => Promise.resolve(accept));
    const { chain, skips } = chainOf([{ links: [link(first.backend, { unreachable: "next" }), link(second.backend)] }]);
    const verdict = await chain.authenticate(attemptOf("alice"), never);
    assert.deepEqual(verdict, { ...rejection("bad-credentials", "wrong"), backend: "first" });
    assert.deepEqual([second.asked, skips], [[], []]);
});

test("a backend that cannot decide refuses, unless the chain says next: that is told", async () => {
    const first = backendOf("first", down);
    const second = backendOf("second", () => Promise.resolve(accept));
    const denying = chainOf([{ links: [link(first.backend), link(second.backend)] }]);
    const denied = await denying.chain.authenticate(attemptOf("alice"), never);
    assert.deepEqual(denied, {
        ...rejection("backend-unavailable", "BUS_TIMEOUT: no server answers"),
        backend: "first",
    });
    assert.deepEqual([second.asked, denying.skips], [[], []]);

    const going = chainOf([{ links: [link(first.backend, { unreachable: "next" }), link(second.backend)] }]);
    assert.deepEqual(await going.chain.authenticate(attemptOf("alice"), never), { ...accept, backend: "second" });
    assert.deepEqual(going.skips, [{ backend: "first", next: "second", detail: "BUS_TIMEOUT: no server answers" }]);
});

test("next of the last backend, and of a login that nobody waits for, is a refusal", async () => {
    const first = backendOf("first", down);
    const second = backendOf("second", () => Promise.resolve(accept));
    const last = chainOf([{ links: [link(first.backend, { unreachable: "next" })] }]);
    assert.equal((await last.chain.authenticate(attemptOf("alice"), never)).outcome, "reject");

    const abandoned = chainOf([{ links: [link(first.backend, { unreachable: "next" }), link(second.backend)] }]);
    const verdict = await abandoned.chain.authenticate(attemptOf("alice"), AbortSignal.abort());
    assert.equal(verdict.outcome, "reject");
    assert.deepEqual(second.asked, []);
});

test("what nobody foresaw is no reason to ask the next backend", async () => {
    const first = backendOf("first", () => Promise.reject(new InvariantError("oops")));
    const second = backendOf("second", () => Promise.resolve(accept));
    const { chain } = chainOf([{ links: [link(first.backend, { unreachable: "next" }), link(second.backend)] }]);
    await assert.rejects(() => Promise.resolve(chain.authenticate(attemptOf("alice"), never)), InvariantError);
    assert.deepEqual(second.asked, []);
});

test("a backend is asked about the methods that it serves here only", async () => {
    const first = backendOf("first", () => Promise.resolve(accept));
    const second = backendOf("second", () => Promise.resolve(accept));
    const links = [link(first.backend, { methods: ["mschapv2"] }), link(second.backend, { methods: ["pap"] })];
    const { chain, skips } = chainOf([{ links }]);
    assert.deepEqual(await chain.authenticate(attemptOf("alice"), never), { ...accept, backend: "second" });
    assert.deepEqual([first.asked, skips], [[], []]);

    const none = chainOf([{ links: [link(first.backend, { methods: ["eap", "mschapv2"] })] }]);
    const verdict = await none.chain.authenticate(attemptOf("alice"), never);
    assert.equal(verdict.outcome === "reject" && verdict.reason, "method-not-allowed");
});

test("who set a challenge decides about its answer, and is not replaced when it goes away then", async () => {
    let answered: () => Promise<Verdict> = () => Promise.resolve(accept);
    const question = { outcome: "challenge", kind: "eap", packet: Uint8Array.of(1, 1, 0, 4) } as const;
    const first = backendOf("first", () => Promise.resolve({ ...question, answer: () => answered() }));
    const second = backendOf("second", () => Promise.resolve(accept));
    const { chain } = chainOf([{ links: [link(first.backend, { unreachable: "next" }), link(second.backend)] }]);
    const verdict = await chain.authenticate(attemptOf("alice"), never);
    assert.ok(verdict.outcome === "challenge");
    assert.deepEqual(await verdict.answer(attemptOf("alice"), never), { ...accept, backend: "first" });
    answered = down;
    const late = await verdict.answer(attemptOf("alice"), never);
    assert.deepEqual(late, { ...rejection("backend-unavailable", "BUS_TIMEOUT: no server answers"), backend: "first" });
    assert.deepEqual(second.asked, []);
});

test("it can decide while one of its backends can", () => {
    const up = backendOf("up", down);
    const one = backendOf("one", down, "no server");
    const two = backendOf("two", down, "no directory");
    assert.equal(chainOf([{ links: [link(one.backend), link(up.backend)] }]).chain.readiness(), undefined);
    const neither = chainOf([{ links: [link(one.backend)] }, { links: [link(two.backend), link(one.backend)] }]);
    assert.equal(neither.chain.readiness(), "one: no server; two: no directory");
});
