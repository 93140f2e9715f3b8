// What comes to the doors: to the ingresses as anybody may send it, and to a worker as from another process of its host.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AttackName } from "./attack/attack-name.ts";
import { BALANCER, FloodScene, SERVER_NAME } from "./flood-scene.ts";

/** Seconds of the deadlines, and how much later than that a connection may end. */
const FIRST_BYTE = 5;
const HANDSHAKE = 6;
const NEGOTIATION = 8;
const TOLERANCE = 6;
const CONNECTIONS = 300;
let scene: FloodScene;

before(async () => {
    scene = await FloodScene.start({
        port: 14_531,
        settings: {
            "ingress.proxy.from": [`${BALANCER}/32`],
            "ingress.limits.firstByte": `${FIRST_BYTE}s`,
            "session-worker.sstp.handshakeTimeout": `${HANDSHAKE}s`,
            "session-worker.sstp.negotiationTimeout": `${NEGOTIATION}s`,
            "session-registry.limits.sessionsPerUser": 100,
        },
    });
});

after(async () => {
    await scene[Symbol.asyncDispose]();
});

const slow: readonly (readonly [name: AttackName, deadline: number])[] = [
    ["silentTcp", FIRST_BYTE],
    ["slowHello", HANDSHAKE],
    ["slowHead", HANDSHAKE],
    ["silentSstp", NEGOTIATION],
    ["silentPpp", NEGOTIATION],
    ["halfOpen", NEGOTIATION],
];
for (const [name, deadline] of slow) {
    test(`${name}: ${CONNECTIONS} connections are closed at their deadline, and new users get in meanwhile`, async (t) => {
        const seconds = deadline + 3 * TOLERANCE;
        const attacker = scene.attack(name, { connections: CONNECTIONS, sources: 100, seconds });
        const logins = [await scene.honestLogin(), await scene.honestLogin(), await scene.honestLogin()];
        const report = await attacker.report;
        t.diagnostic(`honest logins ${logins.map(Math.round).join(", ")} ms, in quiet ${Math.round(scene.quietLogin)}`);
        assert.equal(report.counts["borne"], undefined, "none is borne for ever");
        const { closed = 0, refused = 0 } = report.counts;
        assert.equal(closed + refused, CONNECTIONS);
        // On a busy machine some do not get as far as they would.
        assert.ok(closed >= CONNECTIONS / 2, `${closed} connections got to their stage`);
        assert.ok((report.longest["closed"] ?? Infinity) <= (deadline + TOLERANCE) * 1_000);
        await scene.conclude(t, name, report);
    });
}

test("garbage of every kind on the ingresses", async (t) => {
    const attacker = scene.attack("garbage", { rate: 50, sources: 1_000, seconds: 12 });
    const login = await scene.honestLogin();
    const report = await attacker.report;
    t.diagnostic(`honest login ${Math.round(login)} ms`);
    await scene.conclude(t, "garbage", report);
});

test("garbage of every kind directly on a worker, and where its PROXY headers should be", async (t) => {
    const workers = await scene.postern.query<{ endpoint: string }[]>("workers");
    const [host = "", port] = workers[0]?.endpoint.split(":") ?? [];
    const target = { host, port: Number(port), servername: SERVER_NAME };
    const attackers = [
        scene.attack("garbage", { target, rate: 40, sources: 1_000, seconds: 10 }),
        scene.attack("garbageHeaders", { target, rate: 40, seconds: 10 }),
    ];
    const login = await scene.honestLogin();
    t.diagnostic(`honest login ${Math.round(login)} ms`);
    for (const attacker of attackers) await scene.conclude(t, "on a worker", await attacker.report);
});

test("LCP requests for ever: such a session is ended, and others are not kept waiting", async (t) => {
    const attacker = scene.attack("pppRequests", { connections: 20, sources: 20, seconds: NEGOTIATION + TOLERANCE });
    const login = await scene.honestLogin();
    const report = await attacker.report;
    t.diagnostic(`honest login ${Math.round(login)} ms`);
    assert.equal(report.counts["borne"], undefined);
    await scene.conclude(t, "LCP requests", report);
});
