import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.ts";

const add = (source: string, seconds: number) =>
    ({ action: "add", source, seconds, reason: "guessing", by: "ops" }) as const;

test("a ban is seen on every replica, said once, and ends by itself", async () => {
    const world = new World();
    const [one, two] = [await world.replica("r1"), await world.replica("r2")];
    const [ban] = await world.run(one.registry.bans.answer(add("2001:db8::1:2", 60)));
    assert.deepEqual(ban, {
        source: "2001:db8::",
        reason: "guessing",
        by: "ops",
        since: "2026-01-01T00:00:00.000Z",
        until: "2026-01-01T00:01:00.000Z",
    });
    await world.clock.pass(0);
    assert.match(two.registry.bans.reasonOf("2001:db8::9:9") ?? "", /banned until .*guessing/);
    assert.deepEqual(await world.run(two.registry.bans.answer({ action: "list" })), [ban]);
    assert.deepEqual(
        [...one.outbox, ...two.outbox].map(({ data }) => data),
        [{ action: "ban.add", target: "2001:db8::", by: "ops", detail: "for 60 s: guessing" }],
    );
    assert.equal(two.registry.bans.reasonOf("2001:db8:0:1::1"), undefined, "another subscriber");
    await world.clock.pass(60_000);
    assert.equal(two.registry.bans.reasonOf("2001:db8::1"), undefined);
    world.buckets.bans.sweep();
    await world.clock.pass(0);
    assert.deepEqual(await world.run(two.registry.bans.answer({ action: "list" })), []);
});

test("banning again sets the time anew", async () => {
    const world = new World();
    const { registry } = await world.replica("r1");
    await world.run(registry.bans.answer(add("192.0.2.1", 60)));
    await world.clock.pass(30_000);
    await world.run(registry.bans.answer(add("192.0.2.1", 60)));
    await world.clock.pass(45_000);
    world.buckets.bans.sweep();
    await world.clock.pass(0);
    assert.ok(registry.bans.reasonOf("192.0.2.1"));
    assert.equal((await world.run(registry.bans.answer({ action: "list" }))).length, 1);
});

test("lifting gives the ban back, once", async () => {
    const world = new World();
    const replica = await world.replica("r1");
    const { bans } = replica.registry;
    await world.run(bans.answer(add("192.0.2.1", 60)));
    const lift = { action: "lift", source: "192.0.2.1", by: "ops" } as const;
    assert.equal((await world.run(bans.answer(lift))).length, 1);
    assert.deepEqual(await world.run(bans.answer(lift)), []);
    await world.clock.pass(0);
    assert.equal(bans.reasonOf("192.0.2.1"), undefined);
    assert.deepEqual(
        replica.outbox.map(({ data }) => data["action"]),
        ["ban.add", "ban.lift"],
    );
});

test("beyond the limit, the ban that would end first gives way", async () => {
    const world = new World();
    const { registry } = await world.replica("r1");
    for (const [at, seconds] of [300, 100, 200, 400].entries()) {
        await world.run(registry.bans.answer(add(`192.0.2.${at}`, seconds)));
        await world.clock.pass(0);
    }
    const list = await world.run(registry.bans.answer({ action: "list" }));
    assert.deepEqual(
        list.map(({ source }) => source),
        ["192.0.2.2", "192.0.2.0", "192.0.2.3"],
    );
});
