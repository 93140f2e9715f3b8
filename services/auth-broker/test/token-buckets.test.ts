import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenBuckets } from "../src/token-buckets.ts";
import { testClock } from "./test-clock.ts";

const takes = (buckets: TokenBuckets, name: string, times: number): number =>
    Array.from({ length: times }, () => buckets.take(name)).filter(Boolean).length;

test("a bucket gives its burst, then its rate", () => {
    const clock = testClock();
    const buckets = new TokenBuckets(clock, { burst: 5, perMinute: 60 }, 100);
    assert.equal(takes(buckets, "a", 20), 5);
    clock.fake.advance(2_000);
    assert.equal(takes(buckets, "a", 20), 2);
    clock.fake.advance(3_600_000);
    assert.equal(takes(buckets, "a", 20), 5);
});

test("names do not share a bucket", () => {
    const buckets = new TokenBuckets(testClock(), { burst: 1, perMinute: 1 }, 100);
    assert.equal(takes(buckets, "a", 3), 1);
    assert.equal(takes(buckets, "b", 3), 1);
});

test("a refused attempt does not push the next token away", () => {
    const clock = testClock();
    const buckets = new TokenBuckets(clock, { burst: 1, perMinute: 60 }, 100);
    assert.equal(buckets.take("a"), true);
    for (let step = 0; step < 9; step += 1) {
        clock.fake.advance(100);
        assert.equal(buckets.take("a"), false);
    }
    clock.fake.advance(100);
    assert.equal(buckets.take("a"), true);
});

test("memory is bounded, and the busy are not forgotten for the sake of new names", () => {
    const buckets = new TokenBuckets(testClock(), { burst: 1, perMinute: 1 }, 100);
    assert.equal(buckets.take("busy"), true);
    for (let name = 0; name < 99; name += 1) buckets.take(`other ${name}`);
    assert.equal(buckets.take("busy"), false);
    buckets.take("one more");
    assert.equal(buckets.take("busy"), true, "the quietest name is the one that is forgotten");
});
