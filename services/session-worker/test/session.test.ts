// Whole sessions in one process: our client over real TLS against the worker's listener and sessions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@postern/testkit";
import { GATEWAY, startWorker } from "./worker-harness.ts";

for (const method of ["mschapv2", "pap"] as const) {
    test(`${method}: connects, gets address and DNS, pings the gateway, disconnects`, async () => {
        await using worker = await startWorker();
        const client = await worker.dial({ method });
        assert.equal(client.address, "10.91.0.11");
        assert.equal(client.gateway, GATEWAY);
        assert.deepEqual(client.dns, ["10.91.0.53"]);
        await client.ping(GATEWAY);
        assert.equal(worker.started.length, 1);
        await client.disconnect();
        await eventually(() =>
            assert.deepEqual(
                worker.ended.map(({ reason }) => reason),
                ["client-disconnect"],
            ),
        );
        assert.equal(worker.sessions.size, 0);
    });
}
