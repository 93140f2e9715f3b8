// What a person sees when postern runs: one installation, real processes, our own client.  Runs in a network namespace of its own
// (see the Makefile), so that devices, routes and rules touch nothing else.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { readFileSync, writeFileSync } from "node:fs";
import { parseIpv4 } from "@postern/ip";
import { encodeEchoRequest, flipBit, type CallConnectedField } from "@postern/sstp-client";
import { eventually } from "@postern/testkit";
import { type EventWatch, Installation, isAlive } from "./installation.ts";

const PORT = 14_431;

interface SessionRow {
    readonly session: string;
    readonly principal: string;
    readonly worker: string;
    readonly address: string;
    readonly method: string;
    readonly client: { readonly address: string };
}

let postern: Installation;
let events: EventWatch;

before(async () => {
    postern = await Installation.start({ port: PORT });
    events = await postern.watchEvents();
});

after(async () => {
    await events[Symbol.asyncDispose]();
    await postern[Symbol.asyncDispose]();
});

const sessions = (): Promise<SessionRow[]> => postern.query<SessionRow[]>("sessions");
const noSessions = (): Promise<void> =>
    eventually(async () => assert.deepEqual(await sessions(), []), { within: 15_000 });

test("every process that ready.json names is alive, and every service says that it is ready", async () => {
    const { pids, admin } = postern.ready;
    assert.deepEqual(Object.fromEntries(Object.entries(pids).map(([group, list]) => [group, list.length])), {
        nats: 1,
        ingress: 2,
        "session-worker": 2,
        "auth-broker": 2,
        "session-registry": 2,
        "audit-logger": 2,
    });
    for (const pid of Object.values(pids).flat()) assert.ok(isAlive(pid));
    for (const url of Object.values(admin).flat()) {
        await eventually(async () => assert.equal((await fetch(`${url}/readyz`)).status, 200, url), { within: 15_000 });
    }
});

for (const method of ["mschapv2", "pap"] as const) {
    test(`${method}: a session is in the list, in the events and in the audit log, with exact counters`, async () => {
        const tunnel = await postern.dial({ method });
        await tunnel.ping(postern.ready.gateway);
        const [row] = await eventually(async () => {
            const rows = await sessions();
            assert.equal(rows.length, 1);
            return rows;
        });
        assert.equal(row?.principal, postern.ready.user);
        assert.equal(row.address, tunnel.address);
        assert.equal(row.client.address, "127.0.0.1");
        const { session } = row;
        const started = await events.find("session.started", { session });
        assert.equal(started["method"], method);
        assert.equal(started["bindingHash"], "sha256");
        await events.find("auth.succeeded", { session, principal: postern.ready.user });
        await tunnel.disconnect();
        const ended = await events.find("session.ended", { session });
        assert.equal(ended["reason"], "client-disconnect");
        assert.equal(ended["exact"], true);
        const { packetsIn, packetsOut } = tunnel.statistics;
        const counters = ended["counters"] as { packetsIn: number; packetsOut: number }; // of session.ended
        assert.deepEqual([counters.packetsOut, counters.packetsIn], [packetsIn, packetsOut]);
        await noSessions();
        const audited = await eventually(() => {
            const lines = execFileSync("sh", ["-c", `cat ${postern.state}/audit/*/0*.ndjson`], {
                encoding: "utf8",
            }).split("\n");
            const types = lines
                .filter((line) => line.includes(session))
                .map((line) => /"type":"postern\.([a-z.-]+)\.v1"/.exec(line)?.[1]);
            assert.ok(types.includes("session.ended"));
            return types.toSorted((a = "", b = "") => a.localeCompare(b));
        });
        assert.deepEqual(audited, ["auth.succeeded", "session.ended", "session.started"]);
    });
}

test("a wrong password is refused in time, with a reason in auth.failed", async () => {
    for (const method of ["mschapv2", "pap"] as const) {
        const begun = performance.now();
        await assert.rejects(postern.dial({ method, password: "wrong" }), /auth/);
        // Asked for: 2 s.
        assert.ok(performance.now() - begun < 6_000);
        const failed = await events.find("auth.failed", { method });
        assert.equal(failed["reason"], "bad-credentials");
        assert.equal(failed["identity"], postern.ready.user);
    }
});

test("one flipped bit in each field of CALL_CONNECTED: refused, and binding.failed says which", async () => {
    const fields: Readonly<Partial<Record<CallConnectedField, readonly [bit: number, reason: string]>>> = {
        nonce: [3, "nonce"],
        certificateHash: [9, "certificate-hash"],
        compoundMac: [17, "compound-mac"],
        hashProtocol: [7, "hash-algorithm"],
    };
    for (const [field, [bit, reason]] of Object.entries(fields)) {
        const callConnected = flipBit(field as CallConnectedField, bit); // a key of the table above
        await assert.rejects(postern.dial({ misbehaviour: { callConnected } }), /server-abort/);
        await events.find("binding.failed", { reason, identity: postern.ready.user });
    }
    await noSessions();
});

test("packets before CALL_CONNECTED, and from a foreign inner address, never reach the TUN device", async () => {
    const ping = (source: string): Uint8Array =>
        encodeEchoRequest({
            source: parseIpv4(source),
            destination: parseIpv4(postern.ready.gateway),
            identifier: 1,
            sequence: 1,
            dataSize: 8,
        });
    const known = await postern.dial();
    const address = known.address ?? "";
    await known.disconnect();
    await noSessions();
    const toNetwork = 'postern_session_worker_uplink_packets_total\\{direction="out"[^}]*\\}';
    const dropped = (reason: string): Promise<number> =>
        postern.metric("session-worker", `postern_session_worker_session_drops_total\\{reason="${reason}"[^}]*\\}`);
    const before = await postern.metric("session-worker", toNetwork);
    const early = [ping(address), ping(address)];
    const tunnel = await postern.dial({ misbehaviour: { earlyPackets: early } });
    assert.equal(tunnel.address, address, "the address is kept for its user");
    tunnel.sendIp(ping("10.255.0.1"));
    await tunnel.ping(postern.ready.gateway);
    const after = await postern.metric("session-worker", toNetwork);
    assert.equal(after - before, 1);
    await tunnel.disconnect();
    await noSessions();
    assert.equal(await dropped("gate-closed"), early.length);
    assert.equal(await dropped("foreign-source"), 1);
});

test("postern disconnect: the client is told, the event says who ended it", async () => {
    const tunnel = await postern.dial();
    const [row] = await eventually(async () => {
        const rows = await sessions();
        assert.equal(rows.length, 1);
        return rows;
    });
    await postern.postern("disconnect", row?.session ?? "");
    const end = await tunnel.closed;
    assert.match(end.reason, /terminate|disconnect/);
    await events.find("session.ended", { session: row?.session, reason: "admin-disconnect" });
    await noSessions();
});

test("postern bans: a banned source does not get as far as TLS, and gets in again when the ban is lifted", async () => {
    await postern.postern("bans", "add", "127.0.0.1");
    await eventually(async () => assert.rejects(postern.dial(), /step (?:tcp|tls)/), { within: 15_000 });
    await events.find("ingress.rejected", { source: "127.0.0.1", reason: "banned" });
    await postern.postern("bans", "lift", "127.0.0.1");
    await eventually(async () => void (await (await postern.dial()).disconnect()), { within: 15_000 });
    await noSessions();
});

test("users: add, change the password, disable and enable, each at once", async () => {
    await postern.posternWithInput("first-Password-1\n", "user", "add", "carol");
    const dial = (password: string) => postern.dial({ user: "carol", password });
    const works = (password: string): Promise<void> =>
        eventually(async () => void (await (await dial(password)).disconnect()), { within: 15_000 });
    await works("first-Password-1");
    await postern.posternWithInput("second-Password-2\n", "user", "passwd", "carol");
    await works("second-Password-2");
    await postern.postern("user", "disable", "carol");
    await eventually(async () => assert.rejects(dial("second-Password-2"), /647/), { within: 15_000 });
    await postern.postern("user", "enable", "carol");
    await works("second-Password-2");
    const users = await postern.query<{ user: string }[]>("user", "list");
    assert.deepEqual(users.map(({ user }) => user).toSorted(), ["carol", postern.ready.user].toSorted());
    const printed = [postern.output, await postern.postern("events", "--help")].join("");
    assert.ok(!printed.includes("Password-1") && !printed.includes("Password-2"));
    await noSessions();
});

test("a worker that is killed is started again, ready.json says so, and new sessions go on meanwhile", async () => {
    const killed = postern.ready.pids["session-worker"]?.[0] ?? 0;
    process.kill(killed, "SIGKILL");
    const tunnel = await postern.dial();
    await tunnel.ping(postern.ready.gateway);
    await eventually(
        () => {
            const { pids } = postern.ready;
            assert.equal(pids["session-worker"]?.length, 2);
            assert.ok(!pids["session-worker"].includes(killed));
        },
        { within: 30_000 },
    );
    await tunnel.disconnect();
    await noSessions();
});

test("postern drain: a worker takes no new sessions, the other takes all", async () => {
    const workers = await eventually(
        async () => {
            const rows = await postern.query<{ worker: string; state: string }[]>("workers");
            assert.deepEqual(
                rows.map(({ state }) => state),
                ["ready", "ready"],
            );
            return rows;
        },
        { within: 15_000 },
    );
    const drained = workers[0]?.worker ?? "";
    // The list may still have the worker that was killed above; what has started in its place answers when it is ready.
    for (const url of postern.ready.admin["session-worker"] ?? []) {
        const isReady = async (): Promise<void> => assert.equal((await fetch(`${url}/readyz`)).status, 200);
        await eventually(isReady, { within: 30_000 });
    }
    await postern.postern("drain", drained);
    await events.find("worker.draining", { worker: drained });
    await eventually(async () => {
        const rows = await postern.query<{ worker: string; state: string }[]>("workers");
        assert.equal(rows.find(({ worker }) => worker === drained)?.state, "draining");
    });
    const tunnels = await Promise.all(Array.from({ length: 3 }, () => postern.dial()));
    const rows = await sessions();
    assert.ok(
        rows.every(({ worker }) => worker !== drained),
        JSON.stringify(rows),
    );
    await Promise.all(tunnels.map((tunnel) => tunnel.disconnect()));
    await noSessions();
});

test("a second start beside the first says what holds the port", async () => {
    await assert.rejects(Installation.start({ port: PORT }), (error: Error) => {
        assert.match(error.message, new RegExp(`port ${PORT}|:${PORT}`));
        return true;
    });
});

test("audit verify: the log is whole, and one changed byte in it is named", async () => {
    const report = await postern.postern("audit", "verify");
    assert.match(report, /intact/);
    const [file = ""] = execFileSync("sh", ["-c", `ls -S ${postern.state}/audit/*/0*.ndjson`], {
        encoding: "utf8",
    }).split("\n");
    const text = readFileSync(file, "utf8");
    const at = text.indexOf('"identity":"') + 12;
    writeFileSync(file, `${text.slice(0, at)}X${text.slice(at + 1)}`);
    await assert.rejects(postern.postern("audit", "verify"), (error: Error & { stdout?: string; stderr?: string }) => {
        assert.match(`${error.stdout ?? ""}${error.stderr ?? ""}`, /changed/);
        return true;
    });
    writeFileSync(file, text);
});

test("the end: clients are told, nothing is left behind", async () => {
    const tunnel = await postern.dial();
    const pids = Object.values(postern.ready.pids).flat();
    const stopped = postern.stop();
    const end = await tunnel.closed;
    assert.match(end.reason, /terminate|disconnect/);
    assert.equal(await stopped, 0);
    for (const pid of pids) assert.ok(!isAlive(pid), `process ${pid}`);
    assert.doesNotMatch(execFileSync("ip", ["-o", "link"], { encoding: "utf8" }), /: pst/);
    assert.doesNotMatch(
        execFileSync("nft", ["list", "tables"], { encoding: "utf8", env: { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" } }),
        /postern/,
    );
    assert.doesNotMatch(execFileSync("ip", ["route"], { encoding: "utf8" }), /proto 84/);
});
