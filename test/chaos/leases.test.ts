// 20,000 admissions and releases, 200 in flight, on a pool of 256 addresses and two registries, of which one is killed half-way and
// started again: by the caller's own account no address is ever held twice, and in the end the whole pool is free.
// LEASE_OPERATIONS: how many (default 20,000).
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@postern/testkit";
import { Installation } from "../../services/session-registry/test/installation.ts";
import { storm, untilWhole } from "../../services/session-registry/test/lease-storm.ts";

const OPERATIONS = Number(process.env["LEASE_OPERATIONS"] ?? 20_000);
const IN_FLIGHT = 200;
const POOL = 256;

test(`${OPERATIONS} operations on 256 addresses, one of two registries killed and started again`, async (t) => {
    await using installation = await Installation.start();
    const [doomed, survivor] = await installation.registries("r1", "r2");
    assert.ok(doomed && survivor);
    await using worker = await installation.worker("w1");
    const report = await storm({
        worker,
        operations: OPERATIONS,
        inFlight: IN_FLIGHT,
        halfWay: async () => {
            await doomed.kill();
            await installation.registries("r1");
        },
    });
    t.diagnostic(`${report.seconds.toFixed(1)} s: ${JSON.stringify(report)}, ${worker.disconnects.length} replaced`);
    assert.equal(doomed.process.signalCode, "SIGKILL");
    assert.ok(report.lost <= worker.disconnects.length);
    await untilWhole(installation);

    // The pool is whole: it can be given away once more, to the last address and no further.
    const answers = await Promise.all(
        Array.from({ length: POOL + 1 }, (_, at) =>
            worker.admit(worker.question(`afterwards${String(at).padStart(6, "0")}`, `later${at}`)),
        ),
    );
    const addresses = answers.flatMap((answer) => (answer?.state === "admitted" ? [answer.addresses.address] : []));
    assert.equal(new Set(addresses).size, POOL);
    assert.equal(addresses.length, POOL);
    await Promise.all([...worker.sessions.keys()].map((session) => worker.release(session)));
    await untilWhole(installation);
    await eventually(async () => {
        const text = await (await fetch(`${survivor.admin}/metrics`)).text();
        assert.match(text, /^postern_session_registry_addresses\{[^}]*state="used"[^}]*\} 0$/m);
    });
});
