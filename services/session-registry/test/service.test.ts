import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { BUCKETS, registryQuery, type BanRecord } from "@postern/contracts";
import type { Bucket } from "@postern/bus";
import { eventually } from "@postern/testkit";
import { testBucket } from "./bucket-suite.ts";
import { Installation } from "./installation.ts";

let installation: Installation;
before(async () => {
    installation = await Installation.start();
});
after(() => installation[Symbol.asyncDispose]());

testBucket("on NATS", {
    setup: async () => {
        const bucket: Bucket<BanRecord> = await installation.bus.bucket(BUCKETS.bans);
        for (const key of await bucket.keys()) await bucket.delete(key);
        return { bucket, teardown: () => Promise.resolve() };
    },
});

test("2,000 admissions and releases, 50 in flight, one of two registries killed half-way", async (context) => {
    const [doomed, survivor] = await installation.registries("r1", "r2");
    assert.ok(doomed && survivor);
    await using worker = await installation.worker("w1");
    const granted = new Map<string, string>();
    let operations = 0;
    let replaced = 0;
    let counter = 0;
    let highest = 0;
    const began = performance.now();

    async function client(user: string): Promise<void> {
        while (operations < 2_000) {
            operations += 1;
            if (operations === 1_000) void doomed?.kill();
            counter += 1;
            const session = `${user}x${String(counter).padStart(8, "0")}`;
            const answer = await worker.admit(worker.question(session, user));
            assert.equal(answer.state, "admitted", JSON.stringify(answer));
            const { address } = answer.addresses;
            const holder = granted.get(address);
            assert.equal(holder, undefined, `${address} was given to ${session} while ${holder} has it`);
            granted.set(address, session);
            highest = Math.max(highest, granted.size);
            await delay(Math.random() * 20);
            operations += 1;
            // Before the registry can know, as the caller sees it.
            granted.delete(address);
            const isReplaced = !worker.sessions.has(session);
            if (isReplaced) replaced += 1;
            else assert.equal(await worker.release(session), "won");
        }
    }
    // Fifty at once, some of them with the same user.
    await Promise.all(Array.from({ length: 50 }, (_, at) => client(`user${at % 25}`)));
    const seconds = (performance.now() - began) / 1000;
    context.diagnostic(`${operations} operations in ${seconds.toFixed(1)} s; ${highest} at once; ${replaced} replaced`);
    assert.equal(doomed.process.signalCode, "SIGKILL");

    const [sessions, leases, users] = await Promise.all([
        installation.bus.bucket(BUCKETS.sessions),
        installation.bus.bucket(BUCKETS.leases),
        installation.bus.bucket(BUCKETS.users),
    ]);
    await eventually(
        async () => {
            const live = (await sessions.entries()).filter(({ value }) => value.state === "admitted");
            assert.deepEqual(
                live.map(({ key }) => key),
                [],
                "sessions",
            );
            const used = (await leases.entries()).filter(({ value }) => value.session !== undefined);
            assert.deepEqual(
                used.map(({ value }) => value),
                [],
                "leases",
            );
            const listed = (await users.entries()).flatMap(({ value }) => value.sessions);
            assert.deepEqual(listed, [], "listings");
        },
        { within: 15_000, every: 100, what: "everything to be given back" },
    );
    const metrics = await (await fetch(`${survivor.admin}/metrics`)).text();
    assert.match(metrics, /postern_session_registry_admissions_total\{outcome="admitted",instance="r2"\} \d+/);
    assert.match(metrics, /postern_session_registry_addresses\{pool="default",state="used",instance="r2"\} 0/);
    await survivor.stop();
    context.diagnostic(
        survivor
            .output()
            .split("\n")
            .filter((line) => line.includes("reaper")).length + " reaper actions",
    );
});

test("a worker that dies is lost once, with its sessions; one that is only cut off by the bus's outage is not", async () => {
    const [one, two] = await installation.registries("r3", "r4");
    assert.ok(one && two);
    await using dying = await installation.worker("w2");
    await using staying = await installation.worker("w3");
    for (let at = 0; at < 5; at += 1) {
        await dying.admit(dying.question(`dying0000${at}`, `dying${at}`));
        await staying.admit(staying.question(`staying000${at}`, `staying${at}`));
    }
    installation.events.length = 0;
    await dying[Symbol.asyncDispose]();
    await eventually(() => assert.ok(installation.names("worker").includes("lost")), { within: 15_000, every: 50 });
    await eventually(() => assert.equal(installation.names("session").length, 5), { within: 5_000 });
    assert.deepEqual(installation.names("worker"), ["suspect", "lost"]);
    assert.deepEqual(new Set(installation.names("session")), new Set(["ended"]));

    // Longer than the workers' time to live and lostAfter together.
    await installation.nats.stop();
    await delay(4_500);
    await installation.nats.start();
    const { query } = installation.bus.subjects.registry;
    const ask = () => staying.bus.ask(query, registryQuery, { worker: "w3" });
    await eventually(async () => assert.equal((await ask()).sessions.length, 5), { within: 10_000, every: 100 });
    await eventually(async () => assert.equal((await fetch(`${one.admin}/readyz`)).status, 200), { within: 10_000 });
    const answer = await staying.admit(staying.question("afterwards00", "somebody"));
    assert.equal(answer.state, "admitted");
    // More than lostAfter later all is well.
    await delay(3_000);
    assert.equal((await ask()).sessions.length, 6);
    assert.deepEqual(staying.disconnects, []);
    assert.deepEqual(installation.names("worker"), ["suspect", "lost"]);
    assert.equal(await one.stop(), 0, one.output());
    assert.equal(await two.stop(), 0, two.output());
});
