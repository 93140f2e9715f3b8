import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptLog } from "@postern/testkit";
import { WorkerReport } from "../src/worker-report.ts";
import type { HandshakeFailure } from "../src/connection-entry.ts";
import { RecordedEvents, rememberingLines } from "./doubles.ts";

function world(capacity = 100) {
    const events = new RecordedEvents();
    const log = new KeptLog();
    const clock = { now: 0 };
    const lines = rememberingLines();
    const now = (): number => clock.now;
    const report = new WorkerReport({ events, log, lines, worker: "w1", workerEpoch: 7, capacity, now });
    return { report, events, lines, clock };
}

const FAILURE: HandshakeFailure = {
    connection: "0123456789",
    client: { address: "198.51.100.7", port: 1 },
    stage: "tls",
    code: "TLS_HANDSHAKE",
    reason: "no shared cipher",
    clientHello: {
        versions: ["TLSv1.0"],
        ciphers: Array.from({ length: 200 }, (_, index) => `cipher ${index}`),
        alpn: [],
        tickets: [Uint8Array.of(1)],
    },
};

test("full is said once, until the worker has clearly not been so", () => {
    const { report, events } = world();
    for (const sessions of [98, 99, 100, 99, 100, 96, 100]) report.sessions(sessions);
    assert.deepEqual(events.named("worker.full"), [{ worker: "w1", workerEpoch: 7, sessions: 100, capacity: 100 }]);
    for (const sessions of [94, 100]) report.sessions(sessions);
    assert.equal(events.named("worker.full").length, 2);
});

test("certificates and a drain are told as they are", () => {
    const { report, events } = world();
    report.certificates([{ names: ["a"], sha256: "00", algorithm: "ec", notAfter: new Date(0) }]);
    report.draining(3, "admin");
    assert.partialDeepStrictEqual(events.named("cert.loaded"), [
        { names: ["a"], notAfter: "1970-01-01T00:00:00.000Z" },
    ]);
    assert.deepEqual(events.named("worker.draining"), [{ worker: "w1", workerEpoch: 7, sessions: 3, by: "admin" }]);
});

test("handshake failures are told with what the client offered, and a flood of them as a few", () => {
    const { report, events, lines, clock } = world();
    report.handshakeFailed(FAILURE);
    const [told] = events.named("connection.handshake-failed");
    assert.partialDeepStrictEqual(told, {
        stage: "tls",
        reason: "no shared cipher",
        clientHello: { versions: ["TLSv1.0"] },
    });
    assert.ok(told);
    const { ciphers } = told["clientHello"] as { ciphers: string[] }; // as its contract says
    assert.equal(ciphers.length, 64);
    assert.doesNotMatch(JSON.stringify([told, lines]), /tickets/);
    for (let times = 0; times < 5_000; times += 1) {
        clock.now += 1;
        report.handshakeFailed(FAILURE);
    }
    const { length } = events.named("connection.handshake-failed");
    assert.ok(length > 100 && length < 120, `${length} events`);
    assert.equal(lines.added.length, 5_001, "whoever keeps the lines few is told of all");
    assert.partialDeepStrictEqual(lines.added[0], { message: "handshake failed: tls", source: "198.51.100.7" });
});
