import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BUCKETS } from "@postern/contracts";
import { startNatsServer, type NatsServer } from "@postern/testkit";
import { countConsumers } from "../src/count-consumers.ts";
import { applyLayout, openBus, type TestBus } from "./test-bus.ts";

let server: NatsServer;
let admin: TestBus;
before(async () => {
    server = await startNatsServer();
    await applyLayout(server);
    admin = await openBus(server, "admin");
});
after(async () => {
    await admin[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
});

test("every watch is a consumer, beside the durable ones", async () => {
    const before = await countConsumers(admin.bus);
    assert.ok(before > 0);
    const bans = await admin.bus.bucket(BUCKETS.bans);
    const workers = await admin.bus.bucket(BUCKETS.workers);
    for (const bucket of [bans, workers]) await (await bucket.watch(() => undefined)).ready;
    assert.equal(await countConsumers(admin.bus), before + 2);
});
