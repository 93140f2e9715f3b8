// The wall clock of a running installation jumps an hour forward and then back to an hour behind: durations are monotonic, so nobody
// is taken for lost or thrown out; what is said with a time follows the clock.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createTemporaryDirectory, eventually } from "@postern/testkit";
import { readAuditAccount } from "../e2e/audit-account.ts";
import { type EventWatch, Installation } from "../e2e/installation.ts";
import { addUser, quickToJudge, Tunnels, type SessionRow } from "./tunnels.ts";
import { WallClock } from "./wall-clock.ts";

const PORT = 14_481;
const HOUR = 3_600;
/** Longer than a worker's record lives, than `worker.lostAfter` (of this test), and than the reaper's grace. */
const WHILE = 16_000;
/** Seconds that an event may be off. */
const TOLERANCE = 90;
const BANNED = "127.0.0.66";

let undo: AsyncDisposableStack;
let clock: WallClock;
let postern: Installation;
let tunnels: Tunnels;
let events: EventWatch;
let services: Readonly<Record<string, readonly number[]>>;

before(async () => {
    undo = new AsyncDisposableStack();
    const directory = undo.use(await createTemporaryDirectory("clock"));
    clock = new WallClock(directory.path);
    postern = undo.use(
        await Installation.start({ port: PORT, environment: clock.environment, configure: quickToJudge }),
    );
    events = undo.use(await postern.watchEvents());
    tunnels = undo.use(await Tunnels.open(postern, ["ann", "bob"]));
    await postern.postern("bans", "add", BANNED, "--for", "3h");
    services = postern.ready.pids;
});

after(() => undo.disposeAsync());

/** The time of the next event of a session that begins now, in seconds ahead of the real clock. */
async function offset(session: string): Promise<number> {
    await events.find("session.started", { session });
    const event = events.events.find(({ type, subject }) => subject === session && type.includes("session.started"));
    return (Date.parse(event?.time ?? "") - Date.now()) / 1_000;
}

async function comeAndGo(credentials: { user: string; password: string }): Promise<SessionRow> {
    const tunnel = await postern.dial(credentials);
    await tunnel.ping(postern.ready.gateway);
    const row = await eventually(async () => {
        const rows = await postern.query<SessionRow[]>("sessions");
        const mine = rows.find(({ address }) => address === tunnel.address);
        assert.ok(mine !== undefined);
        return mine;
    });
    await tunnel.disconnect();
    return row;
}

for (const [name, jump] of [
    ["an hour forward", HOUR],
    ["back to an hour behind", -HOUR],
] as const) {
    test(`${name}: sessions stay, no worker is suspected, new sessions come and go under the new time`, async () => {
        const visitor = await addUser(postern, jump > 0 ? "vic" : "wim");
        clock.jump(jump);
        const first = await eventually(
            async () => {
                const row = await comeAndGo(visitor);
                const seconds = await offset(row.session);
                assert.ok(Math.abs(seconds - jump) < TOLERANCE, `events are ${seconds} s ahead`);
                return row;
            },
            { within: 30_000, every: 500, what: "events to carry the new time" },
        );
        await delay(WHILE);
        await tunnels.assertUnharmed();
        await tunnels.assertListed(15_000);
        const { types } = readAuditAccount(path.join(postern.state, "audit"));
        assert.deepEqual([types.get("worker.suspect"), types.get("worker.lost")], [undefined, undefined]);
        assert.deepEqual(postern.ready.pids, services, "no process has ended");

        const again = await comeAndGo(visitor);
        assert.equal(again.address, first.address, "an address that was left under this clock is kept for its user");
        await assert.rejects(
            postern.dial({ localAddress: BANNED, timeout: 10_000 }),
            "a ban holds until its time is over",
        );
        await assert.rejects(postern.dial({ ...visitor, password: "wrong" }), /auth/);
        await comeAndGo(visitor);
    });
}

test("the audit log of both hours is intact, every session ended once, and a restart under the earlier time is a later one", async () => {
    const [victim] = postern.ready.pids["session-worker"] ?? [];
    assert.ok(victim !== undefined);
    await tunnels[Symbol.asyncDispose]();
    await eventually(async () => assert.deepEqual(await postern.query("sessions"), []), { within: 15_000, every: 200 });
    process.kill(victim, "SIGKILL");
    await eventually(
        async () => {
            assert.notEqual(postern.ready.pids["session-worker"]?.[0], victim);
            const workers = await postern.query<{ worker: string; state: string }[]>("workers");
            assert.deepEqual(
                workers.map(({ state }) => state),
                ["ready", "ready"],
            );
        },
        { within: 30_000, every: 200 },
    );
    await eventually(
        () => {
            const { sessions, doubled } = readAuditAccount(path.join(postern.state, "audit"));
            assert.deepEqual(doubled, []);
            for (const { session, started, ends } of sessions) {
                assert.deepEqual([started, ends.map(({ reason }) => reason)], [1, ["client-disconnect"]], session);
            }
        },
        { within: 15_000, every: 200 },
    );
    assert.match(await postern.postern("audit", "verify"), /intact/);
});
