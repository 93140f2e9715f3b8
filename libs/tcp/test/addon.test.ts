import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { FIELDS, findAddon, OPTIONS, ROW, tcpAvailability, UNCHANGED } from "../src/addon.ts";

const EINVAL = -22;
const EBADF = -9;
const ENOTSOCK = -88;

function addonOf() {
    const tcp = tcpAvailability();
    assert.ok(tcp.kind === "available", "make libs/tcp/build/tcp.node");
    return tcp.addon;
}

test("arguments of another shape are refused instead of read or written past", () => {
    const { tune, sample } = addonOf();
    const unchanged = new Int32Array(OPTIONS.length).fill(UNCHANGED);
    const sockets = new Int32Array(4).fill(-1);
    const rows = new Float64Array(4 * ROW);
    assert.equal(tune(-1, unchanged.subarray(1)), EINVAL);
    assert.equal(tune(-1, new Int32Array(OPTIONS.length + 1)), EINVAL);
    assert.equal(sample(sockets, rows, 5), EINVAL);
    assert.equal(sample(new Int32Array(8), rows, 5), EINVAL);
    assert.equal(sample(sockets, rows.subarray(1), 4), EINVAL);
    assert.equal(sample(sockets, new Float64Array(0), 1), EINVAL);
    assert.equal(sample(sockets, rows, 4), 0);
    assert.equal(sample(sockets, rows, 0), 0);
    const detached = new Float64Array(4 * ROW);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    assert.equal(sample(sockets, detached, 1), EINVAL);
});

test("whatever is given instead of numbers and arrays, the answer is an error", () => {
    const { tune, sample } = addonOf();
    const anything = fc.oneof(
        fc.anything(),
        fc.int32Array({ maxLength: 20 }),
        fc.float64Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 80 }),
        fc.integer({ max: -1 }),
    );
    const call = (work: (...values: never[]) => number, values: readonly unknown[]): number =>
        work(...(values as never[])); // what TypeScript would not let through
    // No descriptor that this process has is among them, so nothing may succeed but a sample of none.
    const isOpen = (value: unknown): boolean => typeof value === "number" && value >= 0;
    fc.assert(
        fc.property(fc.array(anything, { maxLength: 4 }), (values) => {
            fc.pre(!isOpen(values[0]));
            assert.ok(call(tune, values) < 0);
            assert.ok(call(sample, values) <= 0);
        }),
        { numRuns: 2_000 },
    );
});

test("descriptors that are none, or not of a TCP socket, are errors and rows without figures", () => {
    const { tune, sample } = addonOf();
    const values = new Int32Array(OPTIONS.length).fill(UNCHANGED);
    values[0] = 1;
    assert.equal(tune(-1, values), EBADF);
    assert.equal(tune(2 ** 30, values), EBADF);
    const file = openSync(import.meta.filename, "r");
    const rows = new Float64Array(3 * ROW).fill(7);
    try {
        assert.equal(tune(file, values), ENOTSOCK);
        assert.equal(sample(Int32Array.of(-1, file, 2 ** 30), rows, 3), 0);
    } finally {
        closeSync(file);
    }
    assert.ok(rows.every(Number.isNaN));
    assert.equal(new Set(FIELDS).size, ROW);
});

test("an addon that is missing or broken is a reason, not an exception", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "postern-tcp-"));
    try {
        const missing = findAddon(path.join(folder, "none.node"));
        assert.match(missing.kind === "unavailable" ? missing.reason : "", /^the native addon is not built/);
        const broken = path.join(folder, "broken.node");
        writeFileSync(broken, "not a library");
        const unloadable = findAddon(broken);
        assert.match(unloadable.kind === "unavailable" ? unloadable.reason : "", /^the native addon cannot be loaded/);
    } finally {
        rmSync(folder, { recursive: true });
    }
});
