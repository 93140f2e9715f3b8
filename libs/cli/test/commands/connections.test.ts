// Ingresses and workers as they are on the bus.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BUCKETS, connectionsDescribe, type ConnectionsQuestion, type DescribedConnection } from "@postern/contracts";
import { listConnections } from "../../src/commands/connections.ts";
import { createInstallation, type TestInstallation } from "../test-installation.ts";

const PAGE = 2;
let installation: TestInstallation;
const told: Record<string, DescribedConnection[]> = {};
const questions: (readonly [string, ConnectionsQuestion])[] = [];

before(async () => {
    installation = await createInstallation();
    const { bus } = installation;
    const answer = async (subject: string, instance: string): Promise<void> => {
        await bus.answer(subject, connectionsDescribe, async (question) => {
            questions.push([instance, question]);
            const all = told[instance] ?? [];
            const from = all.findIndex(({ connection }) => connection === question.after) + 1;
            return { connections: all.slice(from, from + PAGE), more: from + PAGE < all.length };
        });
    };
    await answer(bus.subjects.ingress("ingress-1", "connections"), "ingress-1");
    await answer(bus.subjects.worker("worker-1", "connections"), "worker-1");
    await (
        await bus.bucket(BUCKETS.workers)
    ).put("worker-1", {
        worker: "worker-1",
        epoch: 1,
        state: "ready",
        host: "gw1",
        endpoint: { host: "127.0.0.1", port: 1 },
        sessions: 1,
        capacity: 10,
        version: "0.1.0",
    });
});
after(() => installation[Symbol.asyncDispose]());

const NAMED = { instances: { ingress: ["ingress-1"] } } as unknown as Parameters<typeof listConnections>[1]; // all that is read
const NOBODY_ELSE = { ingress: [] } as const;

const described = (number: number, more: Partial<DescribedConnection> = {}): DescribedConnection => ({
    connection: `connection${number}`,
    client: { address: "192.0.2.7", port: 50_000 + number },
    since: new Date(Date.now() - 125_000 + number).toISOString(),
    bytesIn: 10,
    bytesOut: 2_048,
    queued: 1_000,
    ...more,
});
const PATH = { rtt: 31.25, retransmits: 5, duplicates: 1, segmentsOut: 1_000, notSent: 24 };

function tell(): void {
    told["ingress-1"] = [1, 2, 3].map((number) => described(number, { worker: "worker-1", path: PATH }));
    const session = { session: "session02", principal: "kim", bytesIn: 999, queued: 7 };
    told["worker-1"] = [described(2, session), described(4, { session: "session04", path: { rtt: 2 } })];
}

test("an ingress tells of the path, the worker whose session it is, and of clients that dialled it", async () => {
    tell();
    const list = await installation.json((output) => listConnections(installation.bus, NAMED, output, NOBODY_ELSE));
    assert.deepEqual(list, [
        { ...told["ingress-1"]?.[0], ingress: "ingress-1" },
        { ...told["ingress-1"]?.[1], ingress: "ingress-1", session: "session02", principal: "kim" },
        { ...told["ingress-1"]?.[2], ingress: "ingress-1" },
        { ...told["worker-1"]?.[1], worker: "worker-1" },
    ]);
    const text = await installation.printed((output) => listConnections(installation.bus, NAMED, output, NOBODY_ELSE));
    const lines = text.trim().split("\n");
    assert.match(
        lines[1] ?? "",
        /^connection2\tkim\t192\.0\.2\.7:50002\tingress-1\tworker-1\t2m0\ds\t10 B\t2\.0 KiB\t1\.0 KiB\t31\.3 ms\t4 \(0\.40%\)$/,
    );
    assert.match(lines[3] ?? "", /^connection4\t-\t192\.0\.2\.7:50004\t-\tworker-1\t.*\t2\.0 ms\t-$/);
});

test("a user's connections alone, a client's alone", async () => {
    tell();
    const list = await installation.json((output) =>
        listConnections(installation.bus, NAMED, output, { ...NOBODY_ELSE, user: "kim" }),
    );
    assert.deepEqual(
        (list as DescribedConnection[]).map(({ connection }) => connection), // its own output
        ["connection2"],
    );
    questions.length = 0;
    await installation.json((output) =>
        listConnections(installation.bus, NAMED, output, { ...NOBODY_ELSE, client: "192.0.2.7" }),
    );
    assert.ok(questions.length >= 3);
    assert.ok(questions.every(([, { client }]) => client === "192.0.2.7"));
});

test("who does not answer is named, after what the others say", async () => {
    tell();
    const text = await installation.printed(async (output) => {
        const failure = listConnections(installation.bus, NAMED, output, { ingress: ["ingress-9"] });
        await assert.rejects(failure, { code: "BUS_NO_RESPONDERS", message: /no answer from ingress-9:/ });
    });
    assert.equal(text.trim().split("\n").length, 4);
});
