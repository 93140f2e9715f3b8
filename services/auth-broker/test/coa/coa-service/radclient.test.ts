// FreeRADIUS's own client asks, by each key.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { registryQuery, workerDisconnect, type QueryAnswer, type QueryQuestion } from "@postern/contracts";
import { startBrokerFleet, type BrokerFleet } from "../../broker-fleet.ts";

const SESSION = "0k3m9x2v7q1b";
const INSTALLER = resolve(import.meta.dirname, "../../../../../tools/install-freeradius.sh");

let fleet: BrokerFleet;
let radclient = "";
let port = 0;
let ended: string[] = [];
let asked: QueryQuestion | undefined;

before(async () => {
    radclient = join(execFileSync(INSTALLER, { encoding: "utf8" }).trim(), "bin/radclient");
    fleet = await startBrokerFleet();
    for (const name of ["right", "wrong"])
        await writeFile(join(fleet.directory, name), randomBytes(16).toString("hex"), { mode: 0o600 });
    await fleet.registry.answer(fleet.registry.subjects.registry.query, registryQuery, async (question) => {
        asked = question;
        const session: QueryAnswer["sessions"][number] = {
            session: SESSION,
            epoch: 1,
            state: "admitted",
            worker: "w1",
            workerEpoch: 1,
            principal: "alice",
            groups: [],
            method: "pap",
            client: { address: "198.51.100.1", port: 4_000 },
            address: "10.91.0.7",
            policy: { pool: "default" },
            admittedAt: "2026-01-01T00:00:00.000Z",
        };
        return Promise.resolve({ sessions: question.principal === "nobody" ? [] : [session], more: false });
    });
    await fleet.worker.answer(
        fleet.worker.subjects.worker("w1", "disconnect"),
        workerDisconnect,
        async ({ session }) => {
            ended.push(session);
            return Promise.resolve({ found: true });
        },
    );
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    ({ port } = socket.address());
    socket.close();
    await fleet.startBroker(
        "a1",
        `dynamicAuthorization:
  listen: ["127.0.0.1:${port}"]
  clients: [{ source: 127.0.0.1/32, secretFile: right }]
`,
    );
});

after(() => fleet[Symbol.asyncDispose]());

/** What radclient prints; it gives up after a second without an answer. */
async function disconnect(attributes: string, secret = "right"): Promise<string> {
    ended = [];
    const file = join(fleet.directory, secret);
    const { promise, resolve: done } = Promise.withResolvers<string>();
    const options = ["-x", "-r", "1", "-t", "1", "-S", file, `127.0.0.1:${port}`, "disconnect"];
    const child = execFile(radclient, options, (_error, stdout, stderr) => done(stdout + stderr));
    child.stdin?.end(`${attributes}\n`);
    return promise;
}

test("radclient ends a session by each key, and believes the answer", async () => {
    const keys: readonly (readonly [string, object])[] = [
        [`Acct-Session-Id = "${SESSION}"`, { session: SESSION }],
        ['User-Name = "Alice"', { principal: "alice" }],
        ["Framed-IP-Address = 10.91.0.7", { address: "10.91.0.7" }],
        ["Framed-IPv6-Prefix = fd00:db8:0:2a::/64", { ipv6Prefix: "fd00:db8:0:2a::/64" }],
        ['Calling-Station-Id = "198.51.100.1"', { client: "198.51.100.1" }],
    ];
    for (const [key, filter] of keys) {
        const began = performance.now();
        const output = await disconnect(`${key}, Event-Timestamp = ${Math.floor(Date.now() / 1_000)}`);
        assert.match(output, /Received Disconnect-ACK/, key);
        assert.ok(performance.now() - began < 3_000, key);
        assert.deepEqual([asked, ended], [{ ...filter, limit: 500 }, [SESSION]], key);
    }
});

test("radclient is told why nothing was done", async () => {
    assert.match(await disconnect('User-Name = "nobody"'), /Disconnect-NAK[^]*Session-Context-Not-Found/);
    assert.match(await disconnect('User-Name = "alice", NAS-Port = 1'), /Disconnect-NAK[^]*Unsupported-Attribute/);
    assert.match(await disconnect('NAS-Identifier = "postern"'), /Disconnect-NAK[^]*Missing-Attribute/);
    assert.deepEqual(ended, []);
});

test("radclient with another secret, or an old timestamp, hears nothing and ends nothing", async () => {
    const old = Math.floor(Date.now() / 1_000) - 400;
    for (const [attributes, secret] of [
        ['User-Name = "alice"', "wrong"],
        [`User-Name = "alice", Event-Timestamp = ${old}`, "right"],
    ] as const) {
        const output = await disconnect(attributes, secret);
        assert.match(output, /Sent Disconnect-Request/);
        assert.doesNotMatch(output, /Received/);
        assert.deepEqual(ended, []);
    }
    const text = await fleet.replicas.get("a1")?.metrics.expose();
    for (const reason of ["not-authentic", "timestamp"])
        assert.match(text ?? "", new RegExp(`dynamic_ignored_total\\{[^}]*reason="${reason}"[^}]*\\} 1\\b`));
});
