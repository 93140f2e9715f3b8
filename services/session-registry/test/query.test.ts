import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueryQuestion } from "@postern/contracts";
import { querySessions } from "../src/query.ts";
import { World, type Replica } from "./world.ts";
import { settings } from "./world-settings.ts";

async function stage(): Promise<{ world: World; replica: Replica; ids: string[] }> {
    const { limits } = settings();
    const world = new World({ changes: { limits: { ...limits, sessionsPerUser: 10 } } });
    const [replica, one, two] = [await world.replica("r1"), await world.worker("w1"), await world.worker("w2")];
    const ids: string[] = [];
    for (const [at, user] of ["ann", "bob", "ann", "cid", "bob", "ann"].entries()) {
        const question = world.question(user, at % 2 === 0 ? one : two);
        await world.admitted(replica, { ...question, client: { address: `192.0.2.${at}`, port: 1 } });
        ids.push(question.session);
        await world.clock.pass(10);
    }
    await world.release(replica, world.claim(ids[2] ?? "", "w1"));
    await world.clock.pass(0);
    return { world, replica, ids };
}

function ask(replica: Replica, question: Partial<QueryQuestion>): { found: string[]; more: boolean } {
    const { sessions, more } = querySessions(replica.registry.sessions, { limit: 200, ...question });
    return { found: sessions.map(({ session }) => session), more };
}

test("live sessions, newest first; ended ones when asked for", async () => {
    const { replica, ids } = await stage();
    const newest = ids.toReversed();
    const ended = ids[2] ?? "";
    assert.deepEqual(ask(replica, {}), { found: newest.filter((id) => id !== ended), more: false });
    assert.deepEqual(ask(replica, { includeEnded: true }), { found: newest, more: false });
});

test("every filter that is given must match", async () => {
    const { replica, ids } = await stage();
    assert.deepEqual(ask(replica, { principal: "ann" }).found, [ids[5], ids[0]]);
    assert.deepEqual(ask(replica, { principal: "ann", includeEnded: true }).found, [ids[5], ids[2], ids[0]]);
    assert.deepEqual(ask(replica, { worker: "w1" }).found, [ids[4], ids[0]]);
    assert.deepEqual(ask(replica, { worker: "w1", includeEnded: true }).found, [ids[4], ids[2], ids[0]]);
    assert.deepEqual(ask(replica, { worker: "w1", principal: "bob" }).found, [ids[4]]);
    assert.deepEqual(ask(replica, { client: "192.0.2.3" }).found, [ids[3]]);
    assert.deepEqual(ask(replica, { session: ids[1] ?? "" }).found, [ids[1]]);
    assert.deepEqual(ask(replica, { session: ids[2] ?? "" }).found, []);
    assert.deepEqual(ask(replica, { session: "nosuchsession" }).found, []);
    const [{ address } = { address: "" }] = querySessions(replica.registry.sessions, { limit: 1 }).sessions;
    assert.deepEqual(ask(replica, { address }).found, [ids[5]]);
});

test("a session is found by the network of its IPv6 addresses", async () => {
    const { default: pool } = settings().pools;
    assert.ok(pool !== undefined);
    const world = new World({
        changes: { pools: { default: { ...pool, ipv6: { prefix: "fd00:db8::/48", dns: [] } } } },
    });
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const prefixes: string[] = [];
    for (const user of ["ann", "bob"]) {
        const answer = await world.admit(replica, world.question(user, worker));
        assert.ok(answer.state === "admitted" && answer.addresses.ipv6 !== undefined);
        prefixes.push(answer.addresses.ipv6.prefix);
    }
    const [found, ...others] = querySessions(replica.registry.sessions, {
        limit: 200,
        ipv6Prefix: prefixes[1] ?? "",
    }).sessions;
    assert.deepEqual([found?.principal, others], ["bob", []]);
});

test("pages follow one another without a gap, also when the cursor's session has ended", async () => {
    const { world, replica, ids } = await stage();
    const live = ids.toReversed().filter((id) => id !== ids[2]);
    const first = ask(replica, { limit: 2 });
    assert.deepEqual(first, { found: live.slice(0, 2), more: true });
    const cursor = first.found[1] ?? "";
    await world.release(replica, world.claim(cursor, "w1"));
    const second = ask(replica, { limit: 2, after: cursor });
    assert.deepEqual(second, { found: live.slice(2, 4), more: true });
    assert.deepEqual(ask(replica, { limit: 2, after: second.found[1] ?? "" }), { found: live.slice(4), more: false });
    assert.throws(() => ask(replica, { after: "nosuchsession" }), { code: "REGISTRY_CURSOR_UNKNOWN" });
});

test("a page ends before it is too long for a message", async () => {
    const { limits } = settings();
    const world = new World({ changes: { limits: { ...limits, sessionsPerUser: 10 } } });
    const [replica, worker] = [await world.replica("r1"), await world.worker("w1")];
    const groups = Array.from(
        { length: 2_000 },
        (_, at) => `a group with a name as long as directories have them ${at}`,
    );
    for (let at = 0; at < 6; at += 1) await world.admitted(replica, { ...world.question("ann", worker), groups });
    const page = querySessions(replica.registry.sessions, { limit: 200 });
    assert.ok(page.more && page.sessions.length > 1);
    assert.ok(JSON.stringify(page).length < 600_000);
    const seen = new Set<string>();
    let after: string | undefined;
    for (let pages = 0; pages < 10; pages += 1) {
        const next = querySessions(replica.registry.sessions, {
            limit: 200,
            ...(after === undefined ? {} : { after }),
        });
        for (const { session } of next.sessions) seen.add(session);
        after = next.sessions.at(-1)?.session;
        if (!next.more) break;
    }
    assert.equal(seen.size, 6);
});
