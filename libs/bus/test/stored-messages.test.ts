import assert from "node:assert/strict";
import { after, test } from "node:test";
import { storedMessages } from "../src/stored-messages.ts";
import { startAdmin } from "./test-bus.ts";

const admin = await startAdmin();
after(() => admin[Symbol.asyncDispose]());

const read = async (filter: string): Promise<string[]> =>
    (await storedMessages(admin.bus, "checkpoints", filter)).map(({ payload }) => Buffer.from(payload).toString());

test("everything under the filter is read, in order, and an empty stream is empty", async () => {
    const { subjects } = admin.bus;
    assert.deepEqual(await read(subjects.checkpointFilter), []);
    const texts = Array.from({ length: 500 }, (_, number) => `statement ${number}`);
    for (const text of texts) await admin.bus.publish(subjects.checkpoint("audit-1"), text);
    await admin.bus.publish(subjects.checkpoint("audit-2"), "of the other");
    assert.deepEqual(await read(subjects.checkpoint("audit-1")), texts);
    assert.deepEqual(await read(subjects.checkpointFilter), [...texts, "of the other"]);
    assert.deepEqual(await read(subjects.checkpoint("audit-3")), []);
    const last = await storedMessages(admin.bus, "checkpoints", subjects.checkpointFilter, "last");
    assert.deepEqual(
        last.map(({ payload }) => Buffer.from(payload).toString()),
        ["statement 499", "of the other"],
    );
});
