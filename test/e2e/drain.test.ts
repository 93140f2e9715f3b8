// Workers that are to go: their sessions end as clients expect it, spread over the time that was asked for, and others take the new ones.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ClientEnd, SstpClient } from "@postern/sstp-client";
import { eventually } from "@postern/testkit";
import { parseDocument } from "yaml";
import { type EventWatch, Installation, isAlive } from "./installation.ts";

const OVER = 6_000;
/** How far from its time a session may end on a busy machine: milliseconds. */
const TOLERANCE = 2_500;
const SESSIONS = 24;

let postern: Installation;
let events: EventWatch;

before(async () => {
    postern = await Installation.start({
        port: 14_433,
        configure(yaml) {
            const document = parseDocument(yaml);
            document.setIn(["session-registry", "limits"], { sessionsPerUser: 100 });
            // One user dials for all: more than a broker lets one user try at once.
            document.setIn(["auth-broker", "throttle", "user"], { burst: 200, perMinute: 600 });
            return document.toString({ lineWidth: 0 });
        },
    });
    events = await postern.watchEvents();
    await ready();
});

after(async () => {
    await events[Symbol.asyncDispose]();
    await postern[Symbol.asyncDispose]();
});

interface SessionRow {
    readonly session: string;
    readonly worker: string;
    readonly client: { readonly port: number };
    readonly address: string;
}
interface WorkerRow {
    readonly worker: string;
    readonly state: string;
    readonly sessions: number;
}

const sessions = (): Promise<SessionRow[]> => postern.query<SessionRow[]>("sessions");
const workers = (): Promise<WorkerRow[]> => postern.query<WorkerRow[]>("workers");

/** Both workers take sessions, and the ingresses know it. */
async function ready(): Promise<void> {
    await eventually(
        async () =>
            assert.deepEqual(
                (await workers()).map(({ state }) => state),
                ["ready", "ready"],
            ),
        { within: 30_000, every: 250 },
    );
    await eventually(async () => assert.equal(await postern.metric("ingress", "postern_ingress_workers_usable"), 4), {
        within: 15_000,
        every: 250,
    });
}

interface Farewell {
    /** Milliseconds from when the worker was told. */
    readonly at: number;
    readonly end: ClientEnd;
}

/** Dials so many, and has a worker told to go by `tell`: what its clients then see, in the order in which they end. */
async function farewells(
    tell: (worker: string) => Promise<unknown>,
): Promise<{ readonly worker: string; readonly rows: readonly SessionRow[]; readonly farewells: readonly Farewell[] }> {
    const clients = await Promise.all(Array.from({ length: SESSIONS }, () => postern.dial()));
    const all = await eventually(async () => {
        const rows = await sessions();
        assert.equal(rows.length, SESSIONS);
        return rows;
    });
    const [worker = ""] = Object.entries(Object.groupBy(all, (row) => row.worker))
        .toSorted(([, one = []], [, other = []]) => other.length - one.length)
        .map(([name]) => name);
    const rows = all.filter((row) => row.worker === worker);
    const leaving = clients.filter(({ address }) => rows.some((row) => row.address === address));
    const staying = clients.filter((client) => !leaving.includes(client));
    const begun = performance.now();
    const seen = Promise.all(
        leaving.map(async (client): Promise<Farewell> => {
            const end = await client.closed;
            return { at: performance.now() - begun, end };
        }),
    );
    await tell(worker);
    const newcomers = await Promise.all([postern.dial(), postern.dial()]);
    const after = await sessions();
    for (const { address } of newcomers)
        assert.notEqual(after.find((row) => row.address === address)?.worker, worker, "new ones go elsewhere");
    const farewells = (await seen).toSorted((one, other) => one.at - other.at);
    await stillThere([...staying, ...newcomers]);
    return { worker, rows, farewells };
}

/** What one worker does is nothing to the sessions of the other. */
async function stillThere(clients: readonly SstpClient[]): Promise<void> {
    for (const client of clients) await client.ping(postern.ready.gateway, { timeout: 5_000 });
    await Promise.all(clients.map((client) => client.disconnect()));
    await eventually(async () => assert.deepEqual(await sessions(), []), { within: 15_000, every: 250 });
}

function assertClean(farewells: readonly Farewell[]): void {
    for (const { end } of farewells) {
        assert.equal(end.reason, "server-disconnect", "Call Disconnect");
        assert.equal(end.terminated, true, "LCP Terminate-Request before it");
    }
}

test("postern drain --over: every session ends cleanly, evenly over the time, and is told as drained", async (t) => {
    const {
        worker,
        rows,
        farewells: ends,
    } = await farewells((name) => postern.postern("drain", name, "--over", `${OVER / 1_000}s`));
    assert.ok(ends.length >= SESSIONS / 4, `${ends.length} sessions on ${worker}`);
    assertClean(ends);
    t.diagnostic(`${worker}: ${ends.map(({ at }) => Math.round(at)).join(", ")} ms`);
    const [first = 0] = ends.map(({ at }) => at);
    for (const [index, { at }] of ends.entries()) {
        const due = first + (index * OVER) / ends.length;
        assert.ok(Math.abs(at - due) <= TOLERANCE, `session ${index} of ${ends.length} ended at ${at}, due at ${due}`);
    }
    for (const { session } of rows) {
        const ended = await events.find("session.ended", { session });
        assert.equal(ended["reason"], "worker-drain");
        assert.equal(ended["exact"], true);
    }
    // The worker's own count comes with its next heartbeat.
    await eventually(
        async () => {
            const row = (await workers()).find((row) => row.worker === worker);
            assert.deepEqual([row?.state, row?.sessions], ["draining", 0]);
        },
        { within: 15_000, every: 250 },
    );
    await restarted(worker);
});

test("SIGTERM to a worker: the same within its time, and the launcher's next one serves again", async (t) => {
    for (const { worker, state } of await workers()) if (state === "draining") await restarted(worker);
    await ready();
    const {
        worker,
        rows,
        farewells: ends,
    } = await farewells(async (name) => {
        process.kill(pidOf(name), "SIGTERM");
        await eventually(async () =>
            assert.notEqual((await workers()).find((row) => row.worker === name)?.state, "ready"),
        );
    });
    assertClean(ends);
    t.diagnostic(`${worker}: ${ends.map(({ at }) => Math.round(at)).join(", ")} ms`);
    // A hundred a second, and two seconds for those whose answer takes its time.
    assert.ok((ends.at(-1)?.at ?? Infinity) <= 3 * 2_240);
    for (const { session } of rows) {
        const ended = await events.find("session.ended", { session });
        assert.equal(ended["reason"], "worker-stop");
        assert.equal(ended["exact"], true);
    }
    await ready();
    await eventually(
        async () => {
            const client = await postern.dial();
            const row = (await sessions()).find(({ address }) => address === client.address);
            await client.ping(postern.ready.gateway);
            await client.disconnect();
            assert.equal(row?.worker, worker);
        },
        { within: 30_000, every: 250, what: `a session on ${worker}` },
    );
});

function pidOf(worker: string): number {
    const pid = postern.ready.pids["session-worker"]?.[Number(worker.split("-")[1]) - 1];
    assert.ok(pid !== undefined);
    return pid;
}

/** There is no way back from draining but a restart. */
async function restarted(worker: string): Promise<void> {
    const pid = pidOf(worker);
    process.kill(pid, "SIGTERM");
    await eventually(() => assert.ok(!isAlive(pid)), { within: 20_000 });
    await ready();
}
