// Connections of real sessions: one whose client dialled the worker itself, one that came through an ingress.
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { encodeLatin1 } from "@postern/bytes";
import { connectionsDescribe } from "@postern/contracts";
import { encodeProxyV2, TLV } from "@postern/proxy-protocol";
import { eventually } from "@postern/testkit";
import { ConnectionTable } from "../src/connection-table.ts";
import { startWorker, USER } from "./worker-harness.ts";

const CONNECTION = "0123456789abcdef0123";
const CLIENT = { address: "198.51.100.7", port: 50_000 };
const HEADER = encodeProxyV2({
    command: "proxy",
    source: CLIENT,
    destination: { address: "203.0.113.1", port: 443 },
    tlvs: [{ type: TLV.uniqueId, value: encodeLatin1(CONNECTION) }],
});

test("of a client that dialled the worker itself the path is known, up to its end", async () => {
    await using worker = await startWorker();
    const client = await worker.dial();
    await eventually(() => assert.equal(worker.started.length, 1));
    const described = connectionsDescribe.answer.parse(worker.connections.describe({})).connections;
    assert.equal(described.length, 1);
    assert.partialDeepStrictEqual(described[0], { session: worker.started[0], principal: USER, queued: 0 });
    assert.ok((described[0]?.bytesIn ?? 0) > 500 && (described[0]?.bytesOut ?? 0) > 500);
    assert.equal(described[0]?.path, undefined, "nobody has looked yet");
    worker.paths.turn(1_000);
    const [connection] = connectionsDescribe.answer.parse(worker.connections.describe({})).connections;
    assert.ok((connection?.path?.rtt ?? 0) > 0 && (connection?.path?.segmentsIn ?? 0) > 0);
    await client.disconnect();
    await eventually(() => assert.equal(worker.ended.length, 1));
    assert.ok((worker.ended[0]?.path?.segmentsOut ?? 0) > (connection?.path?.segmentsOut ?? Infinity) - 1);
    await eventually(() => assert.equal(worker.paths.size, 0));
    assert.deepEqual(worker.connections.describe({}), { connections: [], more: false });
});

test("a client that resets its connection leaves the path as it was last seen", async () => {
    await using worker = await startWorker();
    const client = await worker.dial();
    await eventually(() => assert.equal(worker.started.length, 1));
    worker.paths.turn(1_000);
    client.destroy();
    await eventually(() => assert.equal(worker.ended.length, 1));
    assert.ok((worker.ended[0]?.path?.rtt ?? 0) > 0);
});

test("of a client behind an ingress the session is known, and the path is the ingress' to tell", async () => {
    await using worker = await startWorker({ proxyFrom: ["127.0.0.0/8"] });
    const client = await worker.dial({ proxyHeader: HEADER });
    await eventually(() => assert.equal(worker.started.length, 1));
    worker.paths.turn(1_000);
    assert.equal(worker.paths.size, 0);
    const [connection] = worker.connections.describe({}).connections;
    assert.partialDeepStrictEqual(connection, {
        connection: CONNECTION,
        client: CLIENT,
        session: worker.started[0],
        principal: USER,
    });
    assert.equal(connection?.path, undefined);
    assert.equal(worker.connections.path(worker.started[0] ?? ""), undefined);
    client.destroy();
});

test("pages come in the order of the ids, and one client's connections can be asked for", () => {
    const table = new ConnectionTable({
        paths: { watch: () => assert.fail("none is direct") },
        wallClock: () => 0,
        principalOf: () => undefined,
    });
    const socket = { bytesRead: 1, bytesWritten: 2 } as Socket; // all that is asked of it
    const stream = new Duplex();
    const ids = Array.from({ length: 2_100 }, (_, index) => String((index * 7_919) % 100_000).padStart(8, "0"));
    for (const connection of ids) {
        const client = connection.endsWith("7") ? CLIENT : { ...CLIENT, address: "2001:db8::7" };
        table.add(`session${connection}`, { connection, client, stream }, socket, false);
    }
    const found: string[] = [];
    for (let more = true; more;) {
        const after = found.at(-1);
        const page = connectionsDescribe.answer.parse(table.describe(after === undefined ? {} : { after }));
        assert.ok(page.connections.length <= 1_000);
        assert.ok(JSON.stringify(page).length < 2 ** 20);
        found.push(...page.connections.map(({ connection }) => connection));
        more = page.more;
    }
    assert.deepEqual(found, ids.toSorted());
    const one = table.describe({ client: CLIENT.address }).connections.map(({ connection }) => connection);
    assert.deepEqual(one, ids.filter((id) => id.endsWith("7")).toSorted());
});
