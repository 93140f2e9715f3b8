import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketTuner } from "../src/socket-tuner.ts";
import { connectLoopback } from "./loopback.ts";

const OPTIONS = { noDelay: true, userTimeout: 90_000 } as const;

test("what cannot be had is said once, for however many sockets", async () => {
    using pair = await connectLoopback();
    const reasons: string[] = [];
    const tuner = new SocketTuner(OPTIONS, (reason) => reasons.push(reason), {
        kind: "unavailable",
        reason: "not built",
    });
    for (const socket of [pair.near, pair.far, pair.near]) tuner.tune(socket);
    assert.deepEqual(reasons, ["not built"]);
});

test("there is nothing to say of sockets that got everything, or are closed", async () => {
    using pair = await connectLoopback();
    const reasons: string[] = [];
    const tuner = new SocketTuner(OPTIONS, (reason) => reasons.push(reason));
    tuner.tune(pair.near);
    pair.near.destroy();
    tuner.tune(pair.near);
    assert.deepEqual(reasons, []);
});
