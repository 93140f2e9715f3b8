import assert from "node:assert/strict";
import { after, test } from "node:test";
import { BUCKETS } from "@postern/contracts";
import { countConsumers } from "../src/count-consumers.ts";
import { startAdmin } from "./test-bus.ts";

const admin = await startAdmin();
after(() => admin[Symbol.asyncDispose]());

test("every watch is a consumer, beside the durable ones", async () => {
    const before = await countConsumers(admin.bus);
    assert.ok(before > 0);
    const bans = await admin.bus.bucket(BUCKETS.bans);
    const workers = await admin.bus.bucket(BUCKETS.workers);
    for (const bucket of [bans, workers]) await (await bucket.watch(() => undefined)).ready;
    assert.equal(await countConsumers(admin.bus), before + 2);
});
