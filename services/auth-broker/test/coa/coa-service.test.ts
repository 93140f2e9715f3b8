import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import {
    registryQuery,
    workerDisconnect,
    type DisconnectQuestion,
    type QueryAnswer,
    type QueryQuestion,
} from "@postern/contracts";
import { ATTRIBUTE, CODE, textAttribute } from "@postern/radius";
import { eventually } from "@postern/testkit";
import { startBrokerFleet, type BrokerFleet } from "../broker-fleet.ts";
import { eventTimestamp, readAnswer, signed, user } from "./radius-packets.ts";

type Found = QueryAnswer["sessions"][number];

const SECRET = randomBytes(24).toString("base64");
const secret = Buffer.from(SECRET);

let fleet: BrokerFleet;
/** What the registry and the worker of the fleet were asked, and what they know. */
let sessions: Found[] = [];
let queries: QueryQuestion[] = [];
let disconnects: DisconnectQuestion[] = [];

before(async () => {
    fleet = await startBrokerFleet();
    await writeFile(join(fleet.directory, "nac.secret"), `${SECRET}\n`, { mode: 0o600 });
    await fleet.registry.answer(fleet.registry.subjects.registry.query, registryQuery, async (question) => {
        await Promise.resolve();
        queries.push(question);
        const { principal, after: cursor = "" } = question;
        const fitting = sessions.filter((one) => principal === undefined || one.principal === principal);
        const rest = fitting.filter((one) => one.session > cursor);
        return { sessions: rest.slice(0, 2), more: rest.length > 2 };
    });
    await fleet.worker.answer(fleet.worker.subjects.worker("w1", "disconnect"), workerDisconnect, async (question) => {
        await Promise.resolve();
        disconnects.push(question);
        const found = sessions.some((one) => one.session === question.session);
        sessions = sessions.filter((one) => one.session !== question.session);
        return { found };
    });
});

beforeEach(() => {
    sessions = [];
    queries = [];
    disconnects = [];
});

after(() => fleet[Symbol.asyncDispose]());

const live = (session: string, principal: string, worker = "w1"): Found => ({
    session,
    epoch: 3,
    state: "admitted",
    worker,
    workerEpoch: 1,
    principal,
    groups: [],
    method: "pap",
    client: { address: "198.51.100.1", port: 4_000 },
    address: "10.91.0.7",
    policy: { pool: "default" },
    admittedAt: "2026-01-01T00:00:00.000Z",
});

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const { port } = socket.address();
    socket.close();
    return port;
}

async function startBroker(instance: string, source = "127.0.0.1/32"): Promise<number> {
    const port = await freePort();
    const settings = `dynamicAuthorization:
  listen: ["127.0.0.1:${port}"]
  clients: [{ source: ${source}, secretFile: nac.secret }]
`;
    await fleet.startBroker(instance, settings);
    return port;
}

async function withBrokers(instances: readonly string[], body: (...ports: number[]) => Promise<void>): Promise<void> {
    const ports: number[] = [];
    for (const instance of instances) ports.push(await startBroker(instance));
    try {
        await body(...ports);
    } finally {
        for (const [instance, replica] of fleet.replicas) {
            await replica.service.stop("end of test");
            await fleet.kill(instance);
        }
    }
}

/** Sends one datagram and resolves with what comes back. */
async function exchange(port: number, datagram: Uint8Array): Promise<Uint8Array> {
    const socket = createSocket("udp4");
    try {
        const reply = once(socket, "message", { signal: AbortSignal.timeout(3_000) }) as Promise<[Uint8Array]>; // of dgram
        socket.send(datagram, port, "127.0.0.1");
        return (await reply)[0];
    } finally {
        socket.close();
    }
}

test("a Disconnect-Request ends every session that fits, wherever the registry finds it", async () => {
    await withBrokers(["a1"], async (port) => {
        sessions = ["aaaaaaaa", "bbbbbbbb", "cccccccc"].map((id) => live(id, "alice"));
        sessions.push(live("dddddddd", "bob"));
        const sent = signed([user("Alice"), eventTimestamp(Date.now())], secret);
        const { code } = readAnswer(await exchange(port, sent), sent, secret);
        assert.equal(code, CODE.disconnectAck);
        assert.deepEqual(
            disconnects.toSorted((a, b) => (a.session < b.session ? -1 : 1)),
            ["aaaaaaaa", "bbbbbbbb", "cccccccc"].map((session) => ({
                session,
                epoch: 3,
                reason: "radius-disconnect",
                by: "RADIUS client 127.0.0.1",
            })),
        );
        assert.equal(queries.length, 2, "a page at a time");
    });
});

test("which worker's session it is can be said by NAS-Identifier; no session is 503, one elsewhere 403", async () => {
    await withBrokers(["a1"], async (port) => {
        sessions = [live("aaaaaaaa", "alice"), live("bbbbbbbb", "alice", "w2")];
        const ask = async (...attributes: Parameters<typeof signed>[0]) => {
            const sent = signed(attributes, secret);
            return readAnswer(await exchange(port, sent), sent, secret);
        };
        assert.equal((await ask(user("carol"))).errorCause, 503);
        assert.equal((await ask(user("alice"), textAttribute(ATTRIBUTE.nasIdentifier, "w3"))).errorCause, 403);
        assert.deepEqual(disconnects, []);
        assert.equal((await ask(user("alice"), textAttribute(ATTRIBUTE.nasIdentifier, "w1"))).code, CODE.disconnectAck);
        assert.deepEqual(
            disconnects.map(({ session }) => session),
            ["aaaaaaaa"],
        );
        const { metrics } = fleet.replicas.get("a1") ?? {};
        const text = await metrics?.expose();
        assert.match(text ?? "", /dynamic_requests_total\{[^}]*request="disconnect",outcome="503"[^}]*\} 1/);
    });
});

test("two replicas: the same packet has one effect, and the same answer from both, also after one died", async () => {
    await withBrokers(["a1", "a2"], async (first, second) => {
        sessions = [live("aaaaaaaa", "alice")];
        const sent = signed([user("alice"), eventTimestamp(Date.now())], secret);
        const answer = await exchange(first, sent);
        assert.deepEqual(await exchange(second, sent), answer);
        await fleet.kill("a1");
        assert.deepEqual(await exchange(second, sent), answer);
        assert.equal(readAnswer(answer, sent, secret).code, CODE.disconnectAck);
        assert.equal(disconnects.length, 1);
    });
});

test("a stranger's datagrams are counted, and the log stays readable", async () => {
    const port = await startBroker("a1", "192.0.2.1/32");
    const replica = fleet.replicas.get("a1");
    assert.ok(replica);
    const socket = createSocket("udp4");
    const sent = signed([user("alice")], secret);
    for (let count = 0; count < 40; count += 1) socket.send(sent, port, "127.0.0.1");
    await eventually(async () =>
        assert.match(await replica.metrics.expose(), /dynamic_ignored_total\{[^}]*reason="unknown-source"[^}]*\} 40\b/),
    );
    socket.close();
    const lines = replica.log.lines.filter(({ message }) => message.includes("is ignored"));
    assert.equal(lines.length, 10);
    assert.ok(!JSON.stringify(lines).includes(SECRET));
    await replica.service.stop("end of test");
    assert.match(replica.log.lines.map(({ message }) => message).join("\n"), /is ignored: 30 more/);
    await fleet.kill("a1");
    assert.deepEqual([queries, disconnects], [[], []]);
});

test("a broker does not start with a secret that others can read, or on an address that is taken", async () => {
    await chmod(join(fleet.directory, "nac.secret"), 0o644);
    await assert.rejects(startBroker("a1"), { code: "KEY_FILE_UNUSABLE" });
    await chmod(join(fleet.directory, "nac.secret"), 0o600);
    await fleet.kill("a1");
    const taken = createSocket("udp4");
    taken.bind(0, "127.0.0.1");
    await once(taken, "listening");
    const settings = `dynamicAuthorization:
  listen: ["127.0.0.1:${taken.address().port}"]
  clients: [{ source: 127.0.0.1/32, secretFile: nac.secret }]
`;
    await assert.rejects(fleet.startBroker("a2", settings), { code: "LISTEN_FAILED" });
    taken.close();
});
