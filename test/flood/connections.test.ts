// Connections by the thousand: from one source, and from ten thousand.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "@postern/testkit";
import { BALANCER, FloodScene } from "./flood-scene.ts";

const RATE = 2;
const BURST = 60;
const INGRESSES = 2;
const WORKERS = 2;
const CONNECTIONS = 3_000;
const SOURCES = 3_500;
const STRANGERS = 150;
const HONEST = 20;

let scene: FloodScene;

before(async () => {
    scene = await FloodScene.start({
        port: 14_532,
        settings: {
            "ingress.proxy.from": [`${BALANCER}/32`],
            "ingress.limits.acceptRate": RATE,
            "ingress.limits.acceptBurst": BURST,
            "ingress.limits.connections": CONNECTIONS,
            "ingress.limits.sources": SOURCES,
            "ingress.limits.firstByte": "5s",
            "session-worker.limits.strangers": STRANGERS,
            "session-worker.sstp.negotiationTimeout": "10s",
            "session-registry.limits.sessionsPerUser": 100,
        },
    });
});

after(async () => {
    await scene[Symbol.asyncDispose]();
});

const rejected = (reason: string): Promise<number> =>
    scene.postern
        .metric("ingress", `postern_ingress_connections_rejected_total\\{reason="${reason}"[^}]*\\}`)
        .catch(() => 0);

/** What the events say was refused. */
const toldRejected = (reason: string): number =>
    scene
        .told("ingress.rejected")
        .filter((data) => data["reason"] === reason)
        .reduce((sum, { count }) => sum + Number(count), 0);

test("10,000 connections of one source: dropped at accept, no TLS for them, a few events, one piece of advice", async (t) => {
    const handshakes = await scene.handshakes();
    const attacker = scene.attack("hellos", { rate: 800, seconds: 13 });
    const login = await scene.honestLogin();
    await eventually(async () => assert.ok((await rejected("source-rate")) > 1_000), { within: 20_000, every: 100 });
    // Its bucket is empty: from here on what the source sends is dropped, but for its few a second.
    const [before, begun] = [await scene.handshakes(), performance.now()];
    const rejectedBefore = await rejected("source-rate");
    await eventually(async () => assert.ok((await rejected("source-rate")) > rejectedBefore + 1_000), {
        within: 20_000,
        every: 100,
    });
    const [more, seconds] = [(await scene.handshakes()) - before, (performance.now() - begun) / 1_000];
    const share = INGRESSES * (RATE * seconds + 1);
    t.diagnostic(`honest login ${Math.round(login)} ms; ${more} handshakes while 1,000 were dropped, ${share} allowed`);
    assert.ok(more <= share, `${more} TLS handshakes in ${seconds} s`);
    const { counts, ...report } = await attacker.report;
    const { answered = 0, dropped = 0 } = counts;
    assert.ok(dropped >= 10_000, `${dropped} dropped`);
    // Those that were let in, the honest one, and no others.
    const all = (await scene.handshakes()) - handshakes;
    assert.ok(all <= answered + 1 + (counts["silent"] ?? 0), `${all} handshakes, ${answered} answered`);
    await eventually(async () => assert.equal(toldRejected("source-rate"), await rejected("source-rate")), {
        within: 30_000,
        every: 250,
    });
    const events = scene.told("ingress.rejected").length;
    assert.ok(events <= 20, `${events} events`);
    assert.ok((await scene.postern.metric("ingress", "postern_ingress_outbox_bytes")) < 2 ** 20);
    const lines = await scene.conclude(t, `one source, ${events} events`, { counts, ...report });
    const advice = lines.filter((line) => line.includes("connections refused"));
    assert.ok(advice.length > 0 && advice.length <= 10, `${advice.length} lines of advice`);
    assert.match(
        advice.join("\n"),
        /too many new connections a second; ingress\.limits\.acceptRate.*mostFrom=127\.0\.0\.66/,
    );
});

test("10,000 silent connections of 10,000 sources: they displace each other, and users get in; the table is bounded", async (t) => {
    const attacker = scene.attack("silentTcp", { connections: 10_000, sources: 10_000, seconds: 40 });
    await eventually(async () => assert.ok((await rejected("total-limit")) > 0), { within: 30_000, every: 100 });
    const logins = [await scene.honestLogin(), await scene.honestLogin(), await scene.honestLogin()];
    const connections = await scene.postern.metric("ingress", "postern_ingress_connections");
    assert.ok(connections <= INGRESSES * CONNECTIONS, `${connections} connections`);
    const report = await attacker.report;
    assert.equal(report.counts["borne"], undefined);
    const sources = await scene.postern.metric("ingress", "postern_ingress_sources");
    t.diagnostic(`honest logins ${logins.map(Math.round).join(", ")} ms; ${sources} sources remembered`);
    assert.ok(sources > SOURCES && sources <= INGRESSES * SOURCES, `${sources} sources`);
    const lines = await scene.conclude(t, "10,000 sources, silent", report);
    await eventually(async () => assert.equal(toldRejected("total-limit"), await rejected("total-limit")), {
        within: 30_000,
        every: 250,
    });
    const events = scene.told("ingress.rejected").filter(({ reason }) => reason === "total-limit").length;
    // 200 sources and one sum in a window of ten seconds, at each ingress.
    assert.ok(events <= INGRESSES * 201 * 5, `${events} events`);
    assert.match([...lines, ...scene.takeLog()].join("\n"), /this ingress has ingress\.limits\.connections already/);
});

test("ClientHellos of 10,000 sources that go no further: users get in", async (t) => {
    const attacker = scene.attack("hellos", { rate: 200, sources: 10_000, seconds: 12 });
    const logins: number[] = [];
    for (let times = 0; times < 5; times += 1) logins.push(await scene.honestLogin());
    t.diagnostic(`honest logins ${logins.map(Math.round).join(", ")} ms`);
    await scene.conclude(t, "10,000 sources, hellos", await attacker.report);
});

test("calls that never authenticate take no more than their share of the workers' sessions", async (t) => {
    const attacker = scene.attack("silentPpp", { connections: 600, sources: 600, seconds: 40 });
    let most = 0;
    const logins: number[] = [];
    for (let times = 0; times < 8; times += 1) {
        logins.push(await scene.honestLogin());
        await delay(500);
        most = Math.max(most, await scene.postern.metric("session-worker", "postern_session_worker_sessions"));
    }
    const report = await attacker.report;
    t.diagnostic(`honest logins ${logins.map(Math.round).join(", ")} ms; at most ${most} sessions`);
    // The honest logins, and ends that are under way.
    assert.ok(most <= WORKERS * STRANGERS + HONEST + 50, `${most} sessions`);
    assert.equal(report.counts["borne"], undefined);
    const displaced = await scene.postern.metric(
        "session-worker",
        'postern_session_worker_sessions_not_admitted_total\\{reason="negotiation-timeout"[^}]*\\}',
    );
    assert.ok(displaced >= 600 - WORKERS * STRANGERS);
    await scene.conclude(t, "calls without a login", report);
});
