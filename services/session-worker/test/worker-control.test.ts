import assert from "node:assert/strict";
import { test } from "node:test";
import { workerDescribe, type EndReason } from "@postern/contracts";
import { silentLog } from "@postern/testkit";
import { NO_TRAFFIC } from "@postern/tun";
import type { Session } from "../src/session.ts";
import { WorkerControl } from "../src/worker-control.ts";
import { admission, facts, transport } from "./doubles.ts";

/** A session with this epoch; without one its admission is still under way. */
class StubSession {
    readonly id: string;
    readonly counters = { ...NO_TRAFFIC, bytesIn: 7 };
    readonly ends: EndReason[] = [];
    readonly #epoch: number | undefined;
    isOver = false;

    constructor(id: string, epoch: number | undefined) {
        this.id = id;
        this.#epoch = epoch;
    }

    get facts() {
        return this.#epoch === undefined || this.isOver
            ? undefined
            : facts({ session: this.id, admission: admission({ epoch: this.#epoch }) });
    }

    snapshot(): undefined {
        return undefined;
    }

    end(reason: EndReason): boolean {
        if (!this.isOver) this.ends.push(reason);
        return !this.isOver;
    }
}

function world(...sessions: readonly StubSession[]) {
    const byId = new Map(sessions.map((session) => [session.id, session as unknown as Session])); // all that is asked of it
    const drains: (readonly [number | undefined, string])[] = [];
    const control = new WorkerControl({
        worker: "w1",
        epoch: 7,
        sessions: byId,
        connections: { describe: () => ({ connections: [], more: false }) },
        presence: { state: "ready" },
        log: silentLog,
        drain: (seconds, by) => void drains.push([seconds, by]),
    });
    return { control, drains };
}

test("describe names the admitted sessions with epochs and counters, all or one", () => {
    const gone = new StubSession("gone", 1);
    gone.isOver = true;
    const { control } = world(
        new StubSession("a", 1),
        new StubSession("b", 4),
        new StubSession("new", undefined),
        gone,
    );
    assert.deepEqual(control.describe({}), {
        worker: "w1",
        epoch: 7,
        state: "ready",
        sessions: [
            { session: "a", epoch: 1, counters: { ...NO_TRAFFIC, bytesIn: 7 } },
            { session: "b", epoch: 4, counters: { ...NO_TRAFFIC, bytesIn: 7 } },
        ],
        more: false,
    });
    const { principal, groups, method, policy, addresses, admittedAt } = admission();
    const admitted = {
        principal,
        groups,
        method,
        client: transport().client,
        address: addresses.address,
        policy,
        admittedAt: new Date(admittedAt).toISOString(),
    };
    assert.deepEqual(control.describe({ session: "b" }).sessions, [
        { session: "b", epoch: 4, counters: { ...NO_TRAFFIC, bytesIn: 7 }, admitted },
    ]);
    for (const session of ["new", "gone", "nobody"]) assert.deepEqual(control.describe({ session }).sessions, []);
});

test("ten thousand sessions are described in pages that fit into a message, each session once", () => {
    const ids = Array.from({ length: 10_000 }, (_, n) => ((n * 7_919) % 10_000).toString(36).padStart(16, "0"));
    const { control } = world(...ids.map((id) => new StubSession(id, 1)));
    const described: string[] = [];
    for (let pages = 1, more: boolean | undefined = true, after; more === true; pages += 1) {
        assert.ok(pages <= 10, "it comes to an end");
        const answer = control.describe(after === undefined ? {} : { after });
        assert.ok(JSON.stringify(answer).length < 900_000);
        assert.ok(workerDescribe.answer.safeParse(answer).success);
        described.push(...answer.sessions.map(({ session }) => session));
        ({ more } = answer);
        after = answer.sessions.at(-1)?.session;
    }
    assert.deepEqual(described, ids.toSorted());
});

test("disconnect means a session of that epoch, whoever owns it now", () => {
    const cases: readonly [
        epoch: number | undefined,
        asked: number | undefined,
        reason: "replaced" | "fenced",
        found: boolean,
    ][] = [
        [3, undefined, "replaced", true],
        [3, 3, "replaced", true],
        [3, 2, "replaced", false],
        [3, 4, "replaced", false],
        [3, 3, "fenced", true],
        // A worker drops a session only when told which epoch it has lost.
        [3, undefined, "fenced", false],
        [3, 2, "fenced", false],
        // Its admission is under way: the registry may be ahead of what the worker has heard.
        [undefined, 1, "replaced", true],
        [undefined, undefined, "replaced", true],
        [undefined, undefined, "fenced", false],
    ];
    for (const [epoch, asked, reason, found] of cases) {
        const session = new StubSession("a", epoch);
        const { control } = world(session);
        const question = { session: "a", reason, by: "r1", ...(asked === undefined ? {} : { epoch: asked }) };
        assert.deepEqual(control.disconnect(question), { found }, JSON.stringify([epoch, asked, reason]));
        assert.deepEqual(session.ends, found ? [reason] : []);
    }
});

test("a session that is over, or was never here, is not found", () => {
    const session = new StubSession("a", 1);
    session.isOver = true;
    const { control } = world(session);
    assert.deepEqual(control.disconnect({ session: "a", reason: "admin-disconnect", by: "x" }), { found: false });
    assert.deepEqual(control.disconnect({ session: "b", reason: "admin-disconnect", by: "x" }), { found: false });
});

test("drain is passed on with who asked, and answers with what is left", () => {
    const { control, drains } = world(new StubSession("a", 1));
    assert.deepEqual(control.drain({ seconds: 5, by: "admin" }), { state: "ready", sessions: 1 });
    assert.deepEqual(control.drain({ by: "admin" }), { state: "ready", sessions: 1 });
    assert.deepEqual(drains, [
        [5, "admin"],
        [undefined, "admin"],
    ]);
});
