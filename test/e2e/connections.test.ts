// What an administrator can know of a client's TCP, and what becomes of a client that the network has swallowed.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { eventually, waitForValue } from "@postern/testkit";
import { type EventWatch, Installation } from "./installation.ts";

interface ConnectionRow {
    readonly connection: string;
    readonly principal?: string;
    readonly session?: string;
    readonly ingress?: string;
    readonly worker?: string;
    readonly client: { readonly address: string; readonly port: number };
    readonly path?: Readonly<Record<string, number>>;
}

const PORT = 14_437;
/** Milliseconds. */
const USER_TIMEOUT = 3_000;

let postern: Installation;
let events: EventWatch;

before(async () => {
    const tcp = `ingress:\n  tcp: { sampleInterval: 1s, userTimeout: ${USER_TIMEOUT}ms }`;
    postern = await Installation.start({ port: PORT, configure: (yaml) => yaml.replace(/^ingress:/m, tcp) });
    events = await postern.watchEvents();
});

after(async () => {
    await events[Symbol.asyncDispose]();
    await postern[Symbol.asyncDispose]();
});

const connections = (): Promise<ConnectionRow[]> => postern.query<ConnectionRow[]>("connections");

/** The only connection, once its path has been looked at, and its session is known. */
const sampled = (): Promise<ConnectionRow> =>
    waitForValue(
        async () => (await connections()).find(({ path, principal }) => path !== undefined && principal !== undefined),
        { within: 15_000 },
    );

/** Loses what `rule` says of packets that arrive. */
function filter(rule: string): Disposable {
    const table = "add table inet e2e\nadd chain inet e2e in { type filter hook input priority 0; }";
    execFileSync("nft", ["-f", "-"], { input: `${table}\nadd rule inet e2e in ${rule}\n` });
    return { [Symbol.dispose]: () => void execFileSync("nft", ["delete", "table", "inet", "e2e"]) };
}

test("a connection is listed with its user, its session, its ingress and the path to its client", async () => {
    const tunnel = await postern.dial();
    await tunnel.ping(postern.ready.gateway);
    const row = await sampled();
    assert.equal(row.principal, postern.ready.user);
    assert.match(row.ingress ?? "", /^ingress-/);
    assert.match(row.worker ?? "", /^worker-/);
    assert.ok((row.path?.["rtt"] ?? 0) > 0 && (row.path?.["segmentsOut"] ?? 0) > 3);
    const [session] = await postern.query<{ session: string }[]>("sessions");
    assert.equal(row.session, session?.session);
    await tunnel.disconnect();
    const closed = await events.find("connection.closed", { connection: row.connection });
    const path = closed["path"] as ConnectionRow["path"]; // of connection.closed
    assert.ok((path?.["segmentsOut"] ?? 0) > (row.path?.["segmentsOut"] ?? Infinity) - 1);
    await eventually(async () => assert.deepEqual(await connections(), []), { within: 15_000 });
});

test("segments that were lost on the way to a client are counted, for it and for all", async () => {
    const tunnel = await postern.dial();
    const { connection } = await sampled();
    {
        // By turns, not by chance: five losses of one segment are as long as a ping's time-out.
        using _loss = filter(`tcp sport ${PORT} numgen inc mod 4 == 0 drop`);
        for (let pings = 0; pings < 40; pings += 1) await tunnel.ping(postern.ready.gateway, { timeout: 10_000 });
    }
    await eventually(
        async () => {
            const row = (await connections()).find((one) => one.connection === connection);
            assert.ok((row?.path?.["retransmits"] ?? 0) > 0);
        },
        { within: 15_000 },
    );
    assert.ok((await postern.metric("ingress", "postern_ingress_client_segments_retransmitted_total")) > 0);
    await tunnel.disconnect();
});

test("a client that the network has swallowed is gone at the user timeout, not when SSTP misses it", async () => {
    const tunnel = await postern.dial();
    await eventually(async () => assert.equal((await postern.query<unknown[]>("sessions")).length, 1));
    const { connection, session } = await sampled();
    using _silence = filter(`tcp sport ${PORT} drop`);
    const begun = performance.now();
    // Its answer is what the client does not acknowledge.
    const lost = tunnel.ping(postern.ready.gateway, { timeout: 1_000 });
    await assert.rejects(lost);
    const closed = await events.find("connection.closed", { connection });
    const elapsed = performance.now() - begun;
    assert.equal(closed["reason"], "client-reset");
    assert.equal((await events.find("session.ended", { session }))["reason"], "client-gone");
    assert.ok(elapsed > USER_TIMEOUT * 0.9 && elapsed < 10 * USER_TIMEOUT, `${elapsed} ms`);
    tunnel.destroy();
});
