// What every policy has to do, whichever it is; and what each promises beyond that.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { BalancerPolicy, Candidate } from "../src/balancer-policy.ts";
import { LeastSessions } from "../src/least-sessions.ts";
import { Maglev } from "../src/maglev.ts";

const candidate = (worker: string, sessions = 0, capacity = 100): Candidate => ({ worker, sessions, capacity });
const fleet = (size: number): Candidate[] => Array.from({ length: size }, (_, index) => candidate(`w${index + 1}`));
const source = (index: number): string => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;

function testPolicy(name: string, create: () => BalancerPolicy): void {
    describe(`policy ${name}`, () => {
        test("no candidates, no choice; one candidate, that one", () => {
            const policy = create();
            assert.equal(policy.choose([], "192.0.2.1"), undefined);
            assert.equal(policy.choose([candidate("only")], "192.0.2.1")?.worker, "only");
        });

        test("always one of the candidates, whatever was there before", () => {
            const policy = create();
            const workers = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,12}$/), { minLength: 1, maxLength: 12 });
            fc.assert(
                fc.property(workers, fc.ipV4(), (names, address) => {
                    const candidates = names.map((worker) => candidate(worker));
                    const chosen = policy.choose(candidates, address);
                    assert.ok(chosen !== undefined && candidates.includes(chosen));
                }),
                { numRuns: 50 },
            );
        });

        test("10,000 sources over equal workers: none gets more than a quarter above its share", () => {
            const policy = create();
            const counts = new Map(fleet(5).map(({ worker }) => [worker, 0]));
            for (let index = 0; index < 10_000; index += 1) {
                const candidates = [...counts].map(([worker, sessions]) => candidate(worker, sessions, 100_000));
                const worker = policy.choose(candidates, source(index))?.worker ?? "";
                counts.set(worker, (counts.get(worker) ?? 0) + 1);
            }
            for (const [worker, count] of counts) assert.ok(count > 1_500 && count < 2_500, `${worker}: ${count}`);
        });
    });
}

testPolicy("least-sessions", () => new LeastSessions());
testPolicy("maglev", () => new Maglev());

test("least-sessions: of two workers always the emptier, measured against its capacity", () => {
    const policy: BalancerPolicy = new LeastSessions();
    for (let attempt = 0; attempt < 100; attempt += 1) {
        assert.equal(policy.choose([candidate("full", 90), candidate("empty", 10)], "192.0.2.1")?.worker, "empty");
        assert.equal(
            policy.choose([candidate("small", 50, 60), candidate("large", 100, 1_000)], "192.0.2.1")?.worker,
            "large",
        );
    }
});

test("maglev: the same source, the same worker, also for another ingress and in another order", () => {
    const [here, there] = [new Maglev(), new Maglev()];
    for (let index = 0; index < 1_000; index += 1) {
        const chosen = here.choose(fleet(7), source(index))?.worker;
        assert.equal(there.choose(fleet(7).toReversed(), source(index))?.worker, chosen);
    }
});

test("maglev: a worker that goes moves its own clients and few others", () => {
    const policy = new Maglev();
    const before = Array.from({ length: 5_000 }, (_, index) => policy.choose(fleet(10), source(index))?.worker);
    const after = before.map((_, index) => policy.choose(fleet(9), source(index))?.worker);
    const others = before.filter((worker) => worker !== "w10").length;
    const moved = before.filter((worker, index) => worker !== "w10" && worker !== after[index]).length;
    assert.ok(moved < others * 0.05, `${moved} of ${others}`);
    assert.ok(!after.includes("w10"));
});
