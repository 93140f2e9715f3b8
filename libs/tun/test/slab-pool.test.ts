import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "@postern/errors";
import { MAX_SLAB_SIZE, SlabPool } from "../src/slab-pool.ts";

test("a slab is large enough, less than twice as large as needed, and used again", () => {
    fc.assert(
        fc.property(fc.integer({ min: 1, max: MAX_SLAB_SIZE }), (size) => {
            const pool = new SlabPool(MAX_SLAB_SIZE);
            const slab = pool.take(size);
            assert.ok(slab.length >= size && (slab.length < 2 * size || slab.length === 256));
            pool.giveBack(slab);
            assert.equal(pool.freeBytes, slab.length);
            assert.equal(pool.take(size), slab);
            assert.equal(pool.freeBytes, 0);
        }),
    );
});

test("free slabs never exceed the limit, whatever is taken and given back", () => {
    const limit = 100_000;
    fc.assert(
        fc.property(fc.array(fc.oneof(fc.integer({ min: 1, max: 70_000 }), fc.constant(0))), (actions) => {
            const pool = new SlabPool(limit);
            const taken: Buffer[] = [];
            for (const size of actions) {
                if (size > 0) {
                    const slab = pool.take(size);
                    assert.ok(!taken.includes(slab));
                    taken.push(slab);
                } else {
                    const slab = taken.pop();
                    if (slab !== undefined) pool.giveBack(slab);
                }
                assert.ok(pool.freeBytes <= limit);
            }
        }),
    );
});

test("sizes that no batch has are a defect", () => {
    const pool = new SlabPool(0);
    for (const size of [0, MAX_SLAB_SIZE + 1]) assert.throws(() => pool.take(size), InvariantError);
});
