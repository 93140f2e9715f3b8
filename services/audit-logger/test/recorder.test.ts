import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { AuditLog } from "@postern/audit-log";
import type { ConsumedMessage } from "@postern/bus";
import { createTemporaryDirectory } from "@postern/testkit";
import { Recorder } from "../src/recorder.ts";

const SOURCE = "postern/main/session-worker/worker-1";
const DAY = 86_400_000;
const key = { privateKey: generateKeyPairSync("ed25519").privateKey, id: "0".repeat(16) };

const message = (sequence: number, changes: Partial<ConsumedMessage> = {}): ConsumedMessage => {
    const event = {
        specversion: "1.0",
        id: `${SOURCE}/1/${sequence}`,
        source: SOURCE,
        type: "postern.session.started.v1",
        subject: "session1",
        time: "2026-01-31T12:00:00.000Z",
        datacontenttype: "application/json",
        instance: "worker-1",
        data: {},
        ...(sequence === 0 ? {} : { epoch: 1, sequence }),
    };
    const payload = Buffer.from(JSON.stringify(event));
    return { subject: "s", payload, streamSequence: sequence, deliveries: 1, storedAt: 1_000 + sequence, ...changes };
};

async function workplace(nonDurable = false) {
    const temporary = await createTemporaryDirectory("recorder");
    const lines: string[] = [];
    const say = (_fields: object, text: string): void => void lines.push(text);
    const log = { fatal: say, error: say, warn: say, info: say, debug: say, trace: say, child: () => log };
    const limits = {
        segmentBytes: 2 ** 20,
        segmentAge: DAY,
        retainAge: DAY,
        retainBytes: 2 ** 30,
        now: () => new Date(),
    };
    const open = (): Promise<AuditLog> =>
        AuditLog.open({ directory: join(temporary.path, "log"), writer: "audit-1", key, ...limits });
    const begin = async () => {
        const audit = await open();
        audit.ledger.beginTurn(0);
        return { audit, recorder: new Recorder({ log, audit, nonDurable }) };
    };
    return { begin, lines, [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose]() };
}

test("an event is recorded once, however often it is delivered: in a batch, later, and after a restart", async () => {
    await using place = await workplace();
    const first = await place.begin();
    await first.recorder.record([message(1), message(2), message(2), message(1)]);
    await first.recorder.record([message(2), message(3)]);
    assert.deepEqual(first.recorder.totals, { recorded: 3, repeats: 3, malformed: 0, newStreams: 0 });
    await first.audit.close();
    const second = await place.begin();
    await second.recorder.record([message(1), message(3), message(4)]);
    assert.deepEqual(second.recorder.totals, { recorded: 1, repeats: 2, malformed: 0, newStreams: 0 });
    await second.audit.close();
});

test("what is no CloudEvent is counted and passed over", async () => {
    await using place = await workplace();
    const { audit, recorder } = await place.begin();
    await recorder.record([
        message(1, { payload: Buffer.from("{") }),
        message(2, { payload: Buffer.from("{}") }),
        message(3),
    ]);
    assert.deepEqual({ ...recorder.totals }, { recorded: 1, repeats: 0, malformed: 2, newStreams: 0 });
    await audit.close();
});

test("samples are recorded only when that is wanted", async () => {
    for (const wanted of [false, true]) {
        await using place = await workplace(wanted);
        const { audit, recorder } = await place.begin();
        await recorder.record([message(0, { streamSequence: 1 })]);
        assert.equal(recorder.totals.recorded, wanted ? 1 : 0);
        await audit.close();
    }
});

test("a gap and its late end are said", async () => {
    await using place = await workplace();
    const { audit, recorder } = await place.begin();
    await recorder.record([message(1), message(3)]);
    assert.equal(audit.ledger.missing, 1);
    await recorder.record([message(2)]);
    assert.equal(audit.ledger.missing, 0);
    assert.deepEqual(
        place.lines.map((line) => line.includes("missing")),
        [true, true],
    );
    await audit.close();
});

test("a stream that begins anew is said, a redelivery is not", async () => {
    await using place = await workplace();
    const { audit, recorder } = await place.begin();
    await recorder.record([message(7, { storedAt: 5_000 })]);
    await recorder.record([message(5, { storedAt: 4_000 })]);
    assert.equal(recorder.totals.newStreams, 0);
    await recorder.record([message(9, { streamSequence: 1, storedAt: 9_000 })]);
    assert.equal(recorder.totals.newStreams, 1);
    assert.equal(recorder.totals.recorded, 3);
    await audit.close();
});
