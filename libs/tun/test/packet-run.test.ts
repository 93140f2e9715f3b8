import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "@postern/errors";
import { PacketRun } from "@postern/tun";
import { SlabPool } from "../src/slab-pool.ts";

test("a run shows its own packets and gives its memory back once", () => {
    const pool = new SlabPool(4096);
    const slab = pool.take(100);
    const table = Uint32Array.of(0, 0, 8, 20, 36, 64);
    const run = new PacketRun(9, slab, 100, table, 1, 2, pool);
    assert.deepEqual([run.slot, run.count, run.bytes.length], [9, 2, 100]);
    assert.deepEqual([run.offset(0), run.size(0), run.offset(1), run.size(1)], [8, 20, 36, 64]);
    assert.equal(run.bytes.buffer, slab.buffer);
    assert.equal(pool.freeBytes, 0);
    run.release();
    assert.equal(pool.freeBytes, 2048);
    assert.throws(() => run.release(), InvariantError);
    assert.equal(pool.freeBytes, 2048);
});
