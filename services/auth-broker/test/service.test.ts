import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { authContinue, authStart, BUCKETS } from "@postern/contracts";
import { eventually } from "@postern/testkit";
import { startBrokerFleet, type BrokerFleet } from "./broker-fleet.ts";

const NAMES = "names: { ownDomains: [CORP] }\n";
const OPEN = "throttle: { source: { burst: 10000 }, user: { burst: 10000 } }\n";
const QUICK = `${OPEN}failureDelay: { first: 10ms, max: 10ms }\nban: { failures: 0 }\n`;
/** A wrong password is decided at once and told later: a conversation that goes on for a while. */
const slow = (delay: string): string =>
    `${OPEN}${NAMES}failureDelay: { first: ${delay}, max: ${delay} }\nban: { failures: 0 }\n`;

let fleet: BrokerFleet;
let lastHost = 0;

/** Each test from a source of its own: lock-outs are remembered. */
const newAddress = (): string => `198.51.100.${(lastHost += 1)}`;

before(async () => {
    fleet = await startBrokerFleet();
    await fleet.putAccount({ user: "alice", password: "correct horse", groups: ["staff"], policy: { pool: "vip" } });
});

after(() => fleet[Symbol.asyncDispose]());

async function withBrokers(settings: string, instances: readonly string[], body: () => Promise<void>): Promise<void> {
    for (const instance of instances) await fleet.startBroker(instance, settings);
    try {
        await body();
    } finally {
        for (const [instance, replica] of fleet.replicas) {
            await replica.service.stop("end of test");
            await fleet.kill(instance);
        }
    }
}

const alice = (address = newAddress(), password = "correct horse") =>
    fleet.client({ user: "CORP\\Alice", password, address });

test("users log in by either method, with the permissions of the roles and no others", async () => {
    await withBrokers(QUICK + NAMES, ["a1", "a2"], async () => {
        const client = alice();
        const mschapv2 = await fleet.login(client.mschapv2());
        client.checkMschapAccept(mschapv2);
        assert.ok(mschapv2.state === "accept");
        const { principal, groups, policy, backend } = mschapv2;
        assert.deepEqual(
            { principal, groups, policy, backend },
            { principal: "alice", groups: ["staff"], policy: { pool: "vip" }, backend: "local" },
        );
        const pap = await fleet.login(alice().pap());
        assert.ok(pap.state === "accept" && pap.hlak === undefined);
        const wrong = await fleet.login(alice(newAddress(), "wrong").mschapv2());
        assert.ok(wrong.state === "reject" && wrong.mschapError?.error === 691 && !wrong.mschapError.retry);
        assert.equal(fleet.events("auth.succeeded").length, 2);
        assert.equal(fleet.events("auth.failed").length, 1);
        for (const { service } of fleet.replicas.values()) assert.equal(service.readiness(), undefined);
    });
});

test("a changed account takes effect within a second", async () => {
    await withBrokers(QUICK + NAMES, ["a1", "a2"], async () => {
        await fleet.putAccount({ user: "carol", password: "one" });
        const carol = (password: string) => fleet.client({ user: "carol", password, address: newAddress() });
        const within = { within: 1_000, every: 20 };
        await eventually(async () => {
            assert.equal((await fleet.login(carol("one").mschapv2())).state, "accept");
        }, within);
        await fleet.putAccount({ user: "carol", password: "two", disabled: true });
        await eventually(async () => {
            const result = await fleet.login(carol("two").mschapv2());
            assert.ok(result.state === "reject" && result.mschapError?.error === 647);
        }, within);
        assert.equal((await fleet.login(carol("one").mschapv2())).state, "reject");
    });
});

test("a question repeated to any replica is one conversation and one verification", async () => {
    await withBrokers(slow("2s"), ["a1", "a2"], async () => {
        const failures = fleet.events("auth.failed").length;
        const question = alice(newAddress(), "wrong").pap();
        const answers = await Promise.all(Array.from({ length: 12 }, () => fleet.start(question)));
        assert.deepEqual(new Set(answers.map(({ result }) => result.state)), new Set(["pending"]));
        const [first] = answers;
        assert.ok(first);
        for (const { replica, conversation } of answers) {
            assert.deepEqual({ replica, conversation }, { replica: first.replica, conversation: first.conversation });
        }
        const result = await fleet.login(question);
        assert.ok(result.state === "reject" && result.reason === "bad-credentials");
        assert.equal(fleet.events("auth.failed").length, failures + 1);
    });
});

test("a replica that dies with a conversation: nobody else answers for it, and nobody verifies a second time", async () => {
    await withBrokers(slow("5s"), ["a1", "a2"], async () => {
        const question = alice(newAddress(), "wrong").mschapv2();
        const { replica, conversation } = await fleet.start(question);
        await fleet.kill(replica);
        const failures = fleet.events("auth.failed").length;

        const { worker } = fleet;
        const poll = { kind: "poll", conversation, session: question.session, wait: 20_000 } as const;
        const ask = () => worker.ask(worker.subjects.authContinue(replica), authContinue, poll);
        const startedAt = performance.now();
        await assert.rejects(ask(), { code: "BUS_NO_RESPONDERS" });
        assert.ok(performance.now() - startedAt < 1_000, "it is known at once");

        const again = await fleet.start(question);
        assert.deepEqual(again, { replica, conversation, result: { state: "pending" } });
        assert.equal(fleet.events("auth.failed").length, failures, "the other one has not verified anything");

        await fleet.startBroker(replica, slow("5s"));
        assert.deepEqual(await ask(), { unknown: true });
        const client = alice();
        client.checkMschapAccept(await fleet.login(client.mschapv2()));
    });
});

test("failures at any replica lock the user out at every replica, once, and survive a restart", async () => {
    await withBrokers(`${QUICK}${NAMES}lockout: { failures: 6 }\n`, ["a1", "a2"], async () => {
        const address = newAddress();
        for (let failure = 0; failure < 6; failure += 1) {
            const result = await fleet.login(alice(address, "wrong").mschapv2());
            assert.ok(result.state === "reject" && result.reason === "bad-credentials");
        }
        const locked = fleet.events("auth.locked");
        assert.deepEqual(
            locked.map((lock) => [lock["identity"], lock["source"], lock["failures"]]),
            [["alice", address, 6]],
        );
        await eventually(async () => {
            const results = await Promise.all(Array.from({ length: 8 }, () => fleet.login(alice(address).mschapv2())));
            for (const result of results) {
                assert.ok(result.state === "reject" && result.reason === "account-locked");
                assert.equal(result.mschapError?.error, 691);
            }
        });
        assert.equal((await fleet.login(alice().mschapv2())).state, "accept", "from elsewhere the user gets in");
        await fleet.kill("a1");
        await fleet.kill("a2");
        await fleet.startBroker("a1", QUICK + NAMES);
        const result = await fleet.login(alice(address).mschapv2());
        assert.ok(result.state === "reject" && result.reason === "account-locked");
    });
});

test("a broker may write what is its own and nothing else", async () => {
    await withBrokers(QUICK, ["a1"], async () => {
        const bus = fleet.replicas.get("a1")?.bus;
        assert.ok(bus);
        const accounts = await bus.bucket(BUCKETS.accounts);
        await assert.rejects(accounts.put("mallory", { user: "mallory", nonce: "AAAA", ciphertext: "AAAA" }));
        await assert.rejects(fleet.worker.bucket(BUCKETS.accounts), "a worker does not even read accounts");
    });
});

test("a source that keeps failing is reported to the registry", async () => {
    const settings = `${OPEN}failureDelay: { first: 10ms, max: 10ms }\nban: { failures: 5, duration: 2h }\nlockout: { failures: 0 }\n`;
    await withBrokers(settings, ["a1"], async () => {
        const address = newAddress();
        for (let user = 0; user < 5; user += 1) {
            await fleet.login(fleet.client({ user: `user${user}`, password: "x", address }).mschapv2());
        }
        await eventually(() => assert.equal(fleet.bans.length, 1));
        assert.deepEqual(fleet.bans[0], {
            action: "add",
            source: address,
            seconds: 7_200,
            reason: "5 refused logins",
            by: "a1",
        });
    });
});

test("two hundred PAP logins at once: two hashes at a time, the rest throttled, and others are answered", async (context) => {
    const settings = `${QUICK}hashing: { concurrency: 2, waiting: 18 }\n`;
    await withBrokers(settings, ["a1"], async () => {
        const metrics = fleet.replicas.get("a1")?.metrics;
        assert.ok(metrics);
        const clients = Array.from({ length: 200 }, (_, user) =>
            fleet.client({ user: `user${user}`, password: "x", address: `203.0.113.${user}` }).pap(),
        );
        const storm = clients.map((question) => fleet.login(question));
        let decided = false;
        const all = Promise.all(storm).finally(() => (decided = true));
        const other = fleet.client({ user: "alice", password: "correct horse", address: newAddress() });
        const startedAt = performance.now();
        other.checkMschapAccept(await fleet.login(other.mschapv2()));
        context.diagnostic(`MS-CHAPv2 in the storm took ${Math.round(performance.now() - startedAt)} ms`);
        let most = 0;
        while (!isDone()) {
            const [, running = "NaN"] = /hashes_running\{[^}]*\} (\d+)/.exec(await metrics.expose()) ?? [];
            most = Math.max(most, Number(running));
            await delay(5);
        }
        const results = await all;
        const throttled = results.filter((result) => result.state === "reject" && result.reason === "throttled");
        assert.equal(throttled.length, 180);
        assert.equal(most, 2);

        function isDone(): boolean {
            return decided;
        }
    });
});

test("a replica that stops is not missed: every login is answered", async () => {
    await withBrokers(QUICK + NAMES, ["a1", "a2"], async () => {
        const results: string[] = [];
        let more = true;
        const logins = (async () => {
            while (isOn()) results.push((await fleet.login(alice().mschapv2())).state);
        })();
        await eventually(() => assert.ok(results.length > 5));
        await fleet.replicas.get("a1")?.service.stop("test");
        await fleet.kill("a1");
        const before = results.length;
        await eventually(() => assert.ok(results.length > before + 5));
        more = false;
        await logins;
        assert.deepEqual(new Set(results), new Set(["accept"]));

        function isOn(): boolean {
            return more;
        }
    });
});

test("without any broker a worker knows at once", async () => {
    const question = alice().pap();
    const asking = fleet.worker.ask(fleet.worker.subjects.authStart, authStart, question);
    await assert.rejects(asking, { code: "BUS_NO_RESPONDERS" });
});
