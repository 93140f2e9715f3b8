// Logins by the thousand: what guessing costs the guesser, and nobody else.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Bus } from "@postern/bus";
import { authStart } from "@postern/contracts";
import { generateKeyPair } from "@postern/sealing";
import { eventually } from "@postern/testkit";
import { sourceAt } from "./attack/wire.ts";
import { ATTACKER, BALANCER, FloodScene } from "./flood-scene.ts";

const USERS = Array.from({ length: 5 }, (_, index) => `user-${index}`);
const NOBODIES = Array.from({ length: 30 }, (_, index) => `nobody-${index}`);
const BROKERS = 2;
const HASHES_AT_ONCE = 2;
const HASHES_WAITING = 64;
const BAN_FAILURES = 15;
const BAN_SECONDS = 20;
const AUDIT_ENTRIES = 50;
const AUDIT_WINDOW = 5;
/** Two segments: what was published goes when its segment is full. */
const OUTBOX_KEPT = 2 * 4 * 2 ** 20;

let scene: FloodScene;

before(async () => {
    scene = await FloodScene.start({
        port: 14_533,
        users: USERS,
        settings: {
            "ingress.proxy.from": [`${BALANCER}/32`],
            "auth-broker.ban.failures": BAN_FAILURES,
            "auth-broker.ban.duration": `${BAN_SECONDS}s`,
            "auth-broker.audit.entries": AUDIT_ENTRIES,
            "auth-broker.audit.window": `${AUDIT_WINDOW}s`,
            "session-registry.limits.sessionsPerUser": 100,
        },
    });
});

after(async () => {
    await scene[Symbol.asyncDispose]();
});

const broker = (name: string): Promise<number> =>
    scene.postern.metric("auth-broker", `postern_auth_broker_${name}`).catch(() => 0);
const attempts = (outcome: string): Promise<number> =>
    broker(`attempts_total\\{method="[a-z0-9]+",outcome="${outcome}"[^}]*\\}`);
const credentials = (user: string) => ({ user, password: scene.passwordOf(user) });

/** Connections that each ingress refused as banned. */
async function bannedAt(): Promise<number[]> {
    const urls = scene.postern.ready.admin["ingress"] ?? [];
    const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()));
    return texts.map((text) => Number(/connections_rejected_total\{reason="banned"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0));
}

interface BanRow {
    readonly source: string;
    readonly by: string;
    readonly until: string;
}
const bans = (): Promise<BanRow[]> => scene.postern.query<BanRow[]>("bans");

async function guessUntilBanned(): Promise<BanRow> {
    const attacker = scene.attack("logins", { rate: 8, seconds: 60, users: USERS.slice(1), method: "mschapv2" });
    try {
        return await eventually(
            async () => {
                const row = (await bans()).find(({ source }) => source === ATTACKER);
                assert.ok(row !== undefined);
                return row;
            },
            { within: 60_000, every: 250, what: "the guesser to be banned" },
        );
    } finally {
        await attacker.stop();
    }
}

const loginFromAttacker = (): Promise<number> =>
    scene.honestLogin({ localAddress: ATTACKER, ...credentials("user-0") });

test("who keeps guessing is banned at every ingress, dropped before TLS, listed, and free again when the ban is over", async (t) => {
    const ban = await guessUntilBanned();
    assert.match(ban.by, /^broker-/);
    await scene.events.find("admin.action", { action: "ban.add", target: ATTACKER });
    const [before, handshakes] = [await bannedAt(), await scene.handshakes()];
    assert.equal(before.length, 2);
    const { counts } = await scene.attack("hellos", { rate: 50, seconds: 2 }).report;
    assert.deepEqual(counts, { dropped: 100 });
    const dropped = (await bannedAt()).map((count, index) => count - (before[index] ?? 0));
    assert.ok(
        dropped.every((count) => count > 0),
        `each ingress dropped some: ${dropped.join(", ")}`,
    );
    assert.equal(
        dropped.reduce((sum, count) => sum + count),
        100,
    );
    assert.equal(await scene.handshakes(), handshakes, "no TLS for a banned source");
    await assert.rejects(loginFromAttacker(), /step (?:tcp|tls)/);
    // The users whose passwords were guessed at log in from where they are.
    for (const user of USERS.slice(0, 4)) await scene.honestLogin(credentials(user));
    await eventually(async () => assert.deepEqual(await bans(), []), {
        within: (BAN_SECONDS + 10) * 1_000,
        every: 250,
    });
    assert.ok(Date.now() >= Date.parse(ban.until) - 1_000, "not before its time");
    t.diagnostic(`dropped ${dropped.join(" + ")}; a login after the ban: ${Math.round(await loginFromAttacker())} ms`);
    await scene.conclude(t, "guesses and a ban", { counts, longest: {} });
});

test("postern bans lift: the source gets in again at once", async (t) => {
    await guessUntilBanned();
    await assert.rejects(loginFromAttacker(), /step (?:tcp|tls)/);
    await scene.postern.postern("bans", "lift", ATTACKER);
    assert.deepEqual(await bans(), []);
    await eventually(loginFromAttacker, { within: 3_000, every: 50 });
    await scene.events.find("admin.action", { action: "ban.lift", target: ATTACKER });
    await scene.conclude(t, "a ban that is lifted", { counts: {}, longest: {} });
});

test("50 wrong PAP passwords a second, of users and nobodies: two hashes at once, a short queue, and users get in", async (t) => {
    const seconds = 20;
    for (let times = 0; times < 6; times += 1) await scene.honestLogin(credentials("user-0"));
    const throttled = await attempts("throttled");
    const options = { rate: 50, sources: 10_000, seconds, users: [...USERS, ...NOBODIES], method: "pap" } as const;
    const attacker = scene.attack("logins", options);
    const logins: number[] = [];
    const [most, over] = [{ running: 0, waiting: 0 }, attacker.report.then(() => true)];
    while (!(await Promise.race([over, delay(200, false)]))) {
        most.running = Math.max(most.running, await broker("hashes_running"));
        most.waiting = Math.max(most.waiting, await broker("hashes_waiting"));
        // One whose password is guessed at, and one of whom nobody knows.
        if (logins.length < 10)
            logins.push(await scene.honestLogin(logins.length % 2 === 0 ? credentials("user-0") : {}));
    }
    const report = await attacker.report;
    t.diagnostic(
        `honest logins ${logins.map(Math.round).join(", ")} ms, in quiet ${Math.round(scene.quietLogin)}; ` +
            `hashes ${most.running} at once, ${most.waiting} waited, ${(await attempts("throttled")) - throttled} throttled`,
    );
    assert.ok(logins.length >= 5);
    assert.equal(report.counts["let in"], undefined);
    assert.ok((report.counts["refused"] ?? 0) > 0);
    assert.ok(most.running > 0 && most.running <= BROKERS * HASHES_AT_ONCE, `${most.running} hashes at once`);
    assert.ok(most.waiting <= BROKERS * HASHES_WAITING, `${most.waiting} hashes waited`);
    const lines = await scene.conclude(t, "PAP", report);
    assert.ok(lines.filter((line) => line.includes("login refused")).length < 300);
});

test("10,000 refused logins that a worker brings: a bounded number of events, and nothing stays in the outbox", async (t) => {
    const from = scene.told("auth.failed").length;
    const begun = performance.now();
    const answers = await flood(10_000);
    const login = await scene.honestLogin();
    const refused = (): number =>
        scene
            .told("auth.failed")
            .slice(from)
            .reduce((sum, { count }) => sum + Number(count), 0);
    await eventually(async () => assert.ok(refused() >= answers, `${refused()} of ${answers}`), {
        within: 40_000,
        every: 250,
    });
    const windows = Math.ceil((performance.now() - begun) / 1_000 / AUDIT_WINDOW) + 1;
    const events = scene.told("auth.failed").length - from;
    t.diagnostic(`${answers} refusals, ${events} events in ${windows} windows; honest login ${Math.round(login)} ms`);
    // In a window each broker tells of so many first failures, as many sums, and one more sum for each reason.
    assert.ok(events <= BROKERS * windows * (2 * AUDIT_ENTRIES + 5), `${events} events`);
    await eventually(async () => assert.equal(await broker("outbox_waiting_events"), 0), { within: 10_000 });
    assert.ok((await broker("outbox_bytes")) <= BROKERS * OUTBOX_KEPT);
    await scene.conclude(t, "10,000 refusals", { counts: { answers, events }, longest: {} });
});

/** So many wrong MS-CHAPv2 responses, as worker-1 would bring them; resolves with how many were answered. */
async function flood(count: number): Promise<number> {
    const bus = await scene.postern.connectBus("worker-1");
    let [next, answered] = [0, 0];
    const work = async (): Promise<void> => {
        for (let index = next++; index < count; index = next++) if (await ask(bus, index)) answered += 1;
    };
    try {
        await Promise.all(Array.from({ length: 64 }, work));
    } finally {
        await bus.close();
    }
    assert.ok(answered > count * 0.9, `${answered} of ${count} were answered`);
    return answered;
}

async function ask(bus: Bus, index: number): Promise<boolean> {
    const question = {
        session: `flood${index.toString(36).padStart(11, "0")}`,
        worker: "worker-1",
        client: { address: sourceAt(index % 40), port: 40_000 },
        attempt: 1,
        credentials: {
            method: "mschapv2" as const,
            identity: index % 2 === 0 ? `user-${index % USERS.length}` : `nobody-${index % 1_000}`,
            ident: 1,
            challenge: randomBytes(16).toString("base64"),
            response: randomBytes(49).toString("base64"),
        },
        replyKey,
    };
    try {
        const { result } = await bus.ask(bus.subjects.authStart, authStart, question, { timeout: 10_000 });
        assert.notEqual(result.state, "accept");
        return true;
    } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        // Under such a load a question may stay without its answer; how many do is looked at.
        return false;
    }
}

const replyKey = Buffer.from(generateKeyPair().publicKey).toString("base64");
