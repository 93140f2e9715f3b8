import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@postern/testkit";
import { endAll, spreadOfStop } from "../src/drain.ts";

/** `lingering` sessions do not go when they are told to. */
function world(count: number, lingering = 0) {
    const clock = new FakeClock();
    const begun = clock.now();
    const live = new Set<number>(Array.from({ length: count }, (_, index) => index));
    const told: number[] = [];
    const sessions = {
        get size() {
            return live.size;
        },
        values: () =>
            [...live].map((index) => ({
                end: () => {
                    told.push(clock.now() - begun);
                    if (index >= lingering) live.delete(index);
                    return true;
                },
            })),
    };
    const run = async (spread: number, patience: number): Promise<number> => {
        const done = endAll({ sessions, now: clock.now, pause: clock.delay }, "worker-drain", spread, patience);
        const over = done.then(() => clock.now() - begun);
        await clock.advanceAsync(spread + patience + 1_000);
        return over;
    };
    return { told, run };
}

test("sessions are ended evenly over the time", async () => {
    const { told, run } = world(1_000);
    const took = await run(10_000, 5_000);
    assert.equal(told.length, 1_000);
    assert.ok(took >= 9_900 && took <= 10_100, `${took} ms`);
    for (let second = 0; second < 10; second += 1) {
        const share = told.filter((at) => at >= second * 1_000 && at < (second + 1) * 1_000).length;
        assert.ok(share >= 90 && share <= 110, `${share} in second ${second}`);
    }
});

test("fewer sessions than steps are spread, too; none at all, and all at once", async () => {
    const few = world(4);
    await few.run(10_000, 5_000);
    assert.deepEqual(few.told, [0, 2_500, 5_000, 7_500]);
    assert.ok((await world(0).run(10_000, 5_000)) <= 50);
    const all = world(500);
    assert.ok((await all.run(0, 5_000)) <= 50);
    assert.equal(all.told.length, 500);
});

test("those that do not go are waited for a while, and no longer", async () => {
    const { told, run } = world(10, 1);
    const took = await run(0, 5_000);
    assert.equal(told.length, 10);
    assert.ok(took >= 5_000 && took <= 5_100, `${took} ms`);
});

test("a stop takes a quarter of its time at most, and few sessions do not take long", () => {
    assert.equal(spreadOfStop(0, 20_000), 0);
    assert.equal(spreadOfStop(20, 20_000), 200);
    assert.equal(spreadOfStop(10_000, 20_000), 5_000);
});
