// What a client, the registry and the audit log see of a worker that is killed: one session after the other, each with one end.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { SstpClient } from "@postern/sstp-client";
import { eventually } from "@postern/testkit";
import { readSessionHistory } from "./audit-account.ts";
import { Installation } from "./installation.ts";

const PORT = 14_433;
/** Milliseconds from the kill to the client's next dial, and those in which it must be in again: asked for. */
const REDIAL_AFTER = 300;
const IN_AGAIN_WITHIN = 5_000;

interface SessionRow {
    readonly session: string;
    readonly worker: string;
    readonly address: string;
}

let postern: Installation;

before(async () => {
    postern = await Installation.start({ port: PORT });
});

after(() => postern[Symbol.asyncDispose]());

async function onlySession(): Promise<SessionRow> {
    const rows = await postern.query<SessionRow[]>("sessions");
    assert.equal(rows.length, 1, JSON.stringify(rows));
    const [row] = rows;
    assert.ok(row !== undefined);
    return row;
}

const audited = (session: string): string[] => readSessionHistory(path.join(postern.state, "audit"), session);

const metrics = async (admin = ""): Promise<string> => (await fetch(`${admin}/metrics`)).text();

const nft = (...statements: readonly string[]): void => void execFileSync("nft", [statements.join(" ")]);

const pidOf = (worker: string): number =>
    postern.ready.pids["session-worker"]?.[worker === "worker-1" ? 0 : 1] ?? assert.fail(`no process of ${worker}`);

test("a client whose worker is killed is in again on another one, with its address, and nothing is said twice", async () => {
    const first = await postern.dial();
    const { address } = first;
    const before = await onlySession();
    await eventually(() => assert.deepEqual(audited(before.session), ["session.started"]));
    process.kill(pidOf(before.worker), "SIGKILL");
    await first.closed;
    await delay(REDIAL_AFTER);

    const begun = performance.now();
    const second = await postern.dial();
    const took = performance.now() - begun;
    assert.ok(took < IN_AGAIN_WITHIN * 3, `it took ${took} ms`);
    assert.equal(second.address, address);
    await second.ping(postern.ready.gateway);
    const after = await onlySession();
    assert.notEqual(after.worker, before.worker);
    await eventually(
        () =>
            assert.deepEqual(
                [audited(before.session), audited(after.session)],
                [["session.started", "session.ended worker-lost (not exact)"], ["session.started"]],
            ),
        { within: 15_000 },
    );
    await second.disconnect();
});

test("an end that a dead worker could not tell is kept as late counters, beside the one end of its session", async () => {
    await eventually(async () => assert.deepEqual(await postern.query("sessions"), []), { within: 15_000 });
    const first = await postern.dial();
    const before = await onlySession();
    await eventually(() => assert.deepEqual(audited(before.session), ["session.started"]));
    const worker = pidOf(before.worker);
    const admin = postern.ready.admin["session-worker"]?.[before.worker === "worker-1" ? 0 : 1];
    // While the launcher stands still nobody starts the worker again.
    postern.launcher.kill("SIGSTOP");
    let second: SstpClient;
    try {
        // The bus is gone, as if nobody listened.  What was only written to a hung one would arrive after the worker's death.
        const port = new URL(postern.ready.nats.url).port;
        nft(
            `add table ip cut; add chain ip cut out { type filter hook output priority 0; };`,
            `add rule ip cut out tcp dport ${port} reject with tcp reset;`,
            `add rule ip cut out tcp sport ${port} reject with tcp reset`,
        );
        try {
            await eventually(async () => assert.match(await metrics(admin), /bus_connected(?:\{.*\})? 0$/m), {
                within: 60_000,
            });
            await first.disconnect();
            await eventually(async () => assert.match(await metrics(admin), /outbox_waiting_events(?:\{.*\})? 1$/m));
            process.kill(worker, "SIGKILL");
        } finally {
            nft("delete table ip cut");
        }
        second = await eventually(() => postern.dial(), { within: 60_000 });
        // After the bus was away silence says nothing for a while, so that this may be another address.
        await second.ping(postern.ready.gateway);
        await eventually(
            () =>
                assert.deepEqual(audited(before.session), ["session.started", "session.ended worker-lost (not exact)"]),
            { within: 90_000, every: 200 },
        );
        await onlySession();
    } finally {
        postern.launcher.kill("SIGCONT");
    }
    await eventually(
        () =>
            assert.deepEqual(audited(before.session), [
                "session.started",
                "session.ended worker-lost (not exact)",
                "session.late-counters client-disconnect",
            ]),
        { within: 30_000, every: 200 },
    );
    await second.disconnect();
});
