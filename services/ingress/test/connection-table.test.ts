import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionsDescribe, type DescribedConnection, PathFigures } from "@postern/contracts";
import { PathWatch } from "@postern/tcp";
import { eventually } from "@postern/testkit";
import { ConnectionTable } from "../src/connection-table.ts";
import { acceptConnection } from "./accepted-connection.ts";

const SINCE = Date.parse("2026-01-02T03:04:05.678Z");
const placed = (connection: string, address = "192.0.2.7") => ({
    connection,
    client: { address, port: 50_000 },
    worker: "worker-1",
});

function tableOf() {
    const paths = new PathWatch({ interval: 1_000, mostPerTurn: 100, onRtt: () => undefined });
    return { paths, table: new ConnectionTable(paths, () => SINCE) };
}

test("a connection is described with what it carried and its path, once that was looked at", async () => {
    const { table, paths } = tableOf();
    using accepted = await acceptConnection();
    table.add(placed("aaaaaaaa"), accepted.socket);
    accepted.client.resume();
    accepted.socket.write("answer");
    await eventually(() => assert.equal(accepted.client.bytesRead, 6));
    const described: DescribedConnection = {
        ...placed("aaaaaaaa"),
        since: "2026-01-02T03:04:05.678Z",
        bytesIn: 0,
        bytesOut: 6,
        queued: 0,
    };
    assert.deepEqual(table.describe({}), { connections: [described], more: false });
    paths.turn(1_000);
    const [connection] = connectionsDescribe.answer.parse(table.describe({})).connections;
    assert.ok((connection?.path?.rtt ?? 0) > 0);
    assert.equal(connection?.path?.segmentsOut, 1);
});

test("what waits for a client that does not read is told", async () => {
    const { table } = tableOf();
    using accepted = await acceptConnection();
    accepted.client.pause();
    table.add(placed("aaaaaaaa"), accepted.socket);
    accepted.socket.write(Buffer.alloc(16_000_000));
    table.sample("aaaaaaaa");
    const [connection] = table.describe({}).connections;
    assert.ok((connection?.queued ?? 0) > 0);
    assert.ok((connection?.path?.notSent ?? 0) > 0);
});

test("a connection that is removed leaves its last figures, and nothing is watched any more", async () => {
    const { table, paths } = tableOf();
    using accepted = await acceptConnection();
    table.add(placed("aaaaaaaa"), accepted.socket);
    assert.equal(paths.size, 1);
    table.sample("aaaaaaaa");
    accepted.socket.destroy();
    table.sample("aaaaaaaa");
    assert.ok((table.remove("aaaaaaaa")?.window ?? 0) > 0);
    assert.equal(table.remove("aaaaaaaa"), undefined);
    table.sample("aaaaaaaa");
    assert.deepEqual([paths.size, table.describe({})], [0, { connections: [], more: false }]);
});

test("pages come in the order of the ids, and one client's connections can be asked for", async () => {
    const { table } = tableOf();
    using accepted = await acceptConnection();
    const ids = Array.from({ length: 2_100 }, (_, index) => String((index * 7_919) % 100_000).padStart(8, "0"));
    for (const id of ids) table.add(placed(id, id.endsWith("7") ? "2001:db8::7" : "192.0.2.7"), accepted.socket);
    const found: string[] = [];
    for (let more = true; more;) {
        const after = found.at(-1);
        const page = table.describe(after === undefined ? {} : { after });
        assert.ok(page.connections.length <= 1_000);
        found.push(...page.connections.map(({ connection }) => connection));
        more = page.more;
    }
    assert.deepEqual(found, ids.toSorted());
    const six = table.describe({ client: "2001:db8::7" }).connections.map(({ connection }) => connection);
    assert.deepEqual(six, ids.filter((id) => id.endsWith("7")).toSorted());
});

test("the largest page fits into a NATS message", async () => {
    using accepted = await acceptConnection();
    const figures = Object.fromEntries(Object.keys(PathFigures.shape).map((name) => [name, Number.MAX_SAFE_INTEGER]));
    const path = { figures: () => figures as never, sample: () => undefined, forget: () => undefined }; // all that are described
    const table = new ConnectionTable({ watch: () => path }, () => SINCE);
    const largest = { ...placed("", "2001:0db8:ffff:ffff:ffff:ffff:ffff:ffff"), worker: "w".repeat(63) };
    for (let number = 0; number < 1_001; number += 1) {
        table.add({ ...largest, connection: String(number).padStart(20, "0") }, accepted.socket);
    }
    const page = connectionsDescribe.answer.parse(table.describe({}));
    assert.equal(page.more, true);
    const size = JSON.stringify(page).length;
    assert.ok(size > 700_000 && size < 2 ** 20, String(size));
});
