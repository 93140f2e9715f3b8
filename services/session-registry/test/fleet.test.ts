import assert from "node:assert/strict";
import { test } from "node:test";
import type { FleetRecord } from "@postern/contracts";
import { Fleet, type Observation } from "../src/fleet.ts";
import { MemoryBucket } from "./memory-bucket.ts";
import { WorldClock } from "./world-clock.ts";

interface Stage {
    readonly bucket: MemoryBucket<FleetRecord>;
    readonly clock: WorldClock;
    readonly told: string[];
    readonly fleet: (
        instance: string,
        carryOut?: (record: FleetRecord, goOn: () => Promise<boolean>) => Promise<void>,
    ) => Promise<Fleet>;
}

function stage(): Stage {
    const [bucket, clock, told] = [new MemoryBucket<FleetRecord>(), new WorldClock(), [] as string[]];
    return {
        bucket,
        clock,
        told,
        fleet: async (instance, carryOut) => {
            const tell = async ({ announce }: FleetRecord): Promise<void> => void told.push(...announce);
            const fleet = new Fleet({ bucket, clock, instance, grace: 1_000, carryOut: carryOut ?? tell });
            await fleet.records.start();
            return fleet;
        },
    };
}

const seen = (state: Observation["state"], evidence: number, epoch = 1): Observation => ({
    worker: "w1",
    epoch,
    state,
    evidence,
    sessions: 0,
});

test("older evidence decides nothing, and loss comes only after suspicion", async () => {
    const { fleet, told, bucket } = stage();
    const one = await fleet("r1");
    await one.observe(seen("joined", 10));
    await one.observe(seen("suspect", 20));
    await one.observe(seen("joined", 19));
    await one.observe(seen("full", 11));
    await one.observe(seen("suspect", 20));
    await one.observe(seen("lost", 20));
    await one.observe(seen("suspect", 20));
    await one.observe(seen("joined", 30));
    await one.observe(seen("suspect", 40, 0));
    assert.deepEqual(told, ["joined", "suspect", "lost", "joined"]);
    assert.deepEqual((await bucket.get("w1"))?.value.announce, []);
});

test("of many that see the same, one tells", async () => {
    const { fleet, told } = stage();
    const fleets = await Promise.all(["r1", "r2", "r3", "r4"].map((instance) => fleet(instance)));
    await Promise.all(fleets.map((one) => one.observe(seen("joined", 1))));
    await Promise.all(fleets.map((one) => one.observe(seen("suspect", 2))));
    assert.deepEqual(told, ["joined", "suspect"]);
});

test("a worker that appears full both joins and is full", async () => {
    const { fleet, told } = stage();
    const one = await fleet("r1");
    await one.observe(seen("full", 1));
    await one.observe(seen("joined", 2));
    await one.observe(seen("joined", 3, 2));
    assert.deepEqual(told, ["joined", "full", "joined"]);
});

test("an announcement that was begun and left is taken over after the grace, not before", async () => {
    const { fleet, told, clock } = stage();
    const dead = await fleet("r1", () => new Promise(() => undefined));
    const alive = await fleet("r2");
    void dead.observe(seen("joined", 1));
    await clock.pass(0);
    await alive.observe(seen("suspect", 2));
    assert.deepEqual(told, [], "one after the other");
    await clock.pass(900);
    await alive.takeOver("w1");
    assert.deepEqual(told, []);
    await clock.pass(200);
    await alive.takeOver("w1");
    assert.deepEqual(told, ["joined"]);
    await alive.takeOver("w1");
    await alive.observe(seen("suspect", 2));
    assert.deepEqual(told, ["joined", "suspect"]);
});

test("whoever says that the work goes on is not taken over; whoever was taken over is told so", async () => {
    const { fleet, clock, bucket } = stage();
    let goOn: (() => Promise<boolean>) | undefined;
    const gate = Promise.withResolvers<void>();
    const slow = await fleet("r1", async (_record, signal) => {
        goOn = signal;
        await gate.promise;
    });
    const other = await fleet("r2");
    const done = slow.observe(seen("lost", 1));
    await clock.pass(800);
    assert.equal(await goOn?.(), true);
    await clock.pass(800);
    await other.takeOver("w1");
    assert.equal((await bucket.get("w1"))?.value.by, "r1");
    await clock.pass(1_100);
    await other.takeOver("w1");
    assert.equal((await bucket.get("w1"))?.value.by, "r2");
    assert.equal(await goOn?.(), false);
    gate.resolve();
    await done;
    assert.deepEqual((await bucket.get("w1"))?.value.announce, []);
});

test("a failed announcement stays to be done", async () => {
    const { fleet, told, clock, bucket } = stage();
    const full = await fleet("r1", () => Promise.reject(new RangeError("outbox full")));
    await assert.rejects(full.observe(seen("joined", 1)));
    assert.deepEqual((await bucket.get("w1"))?.value.announce, ["joined"]);
    assert.equal(await full.remove("w1"), false);
    await clock.pass(1_100);
    const alive = await fleet("r2");
    await clock.pass(1_100);
    await alive.takeOver("w1");
    assert.deepEqual(told, ["joined"]);
});
