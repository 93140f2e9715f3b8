import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, waitForValue } from "@postern/testkit";

test("an assertion is repeated until it holds, and its value comes back", async () => {
    let looks = 0;
    const value = await eventually(
        () => {
            looks += 1;
            assert.equal(looks, 3);
            return "held";
        },
        { every: 1 },
    );
    assert.equal(value, "held");
    assert.equal(looks, 3);
});

test("false is not yet", async () => {
    let looks = 0;
    await eventually(() => (looks += 1) > 2, { every: 1 });
    assert.equal(looks, 3);
});

test("when the time is up the failure names what was awaited and what the last look saw", async () => {
    await assert.rejects(
        eventually(() => assert.equal("down", "up", "the link is down"), { within: 20, every: 5, what: "the link" }),
        /waited 20 ms \(\d+ looks\) for the link: the link is down/u,
    );
});

test("a value is awaited until it is defined; a throw ends the wait at once", async () => {
    const values = [undefined, undefined, 0];
    assert.equal(await waitForValue(() => values.shift(), { every: 1 }), 0);
    await assert.rejects(
        waitForValue(() => {
            throw new RangeError("gone");
        }),
        RangeError,
    );
});
