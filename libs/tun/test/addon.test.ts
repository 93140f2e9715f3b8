import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedMemory, isAddonBuilt, loadAddon } from "../src/addon.ts";

const EINVAL = -22;
const EBADF = -9;

test("the addon is built and refuses arguments of another shape instead of reading past them", () => {
    assert.ok(isAddonBuilt());
    const addon = loadAddon();
    assert.equal(addon, loadAddon());
    const shared = new SharedMemory();
    assert.equal(addon.open("pst%d", 8, shared.bytes.subarray(8)), EINVAL);
    assert.equal(addon.open("pst%d", 8, new Uint8Array(0)), EINVAL);
    const nothing = {} as unknown as Parameters<typeof addon.close>[0]; // what TypeScript would not let through
    const words = new Uint32Array(2);
    const ofWords = new Uint32Array(2000) as unknown as Uint8Array; // nor this
    assert.equal(addon.open("pst%d", 8, ofWords), EINVAL);
    assert.equal(addon.write(nothing, shared.bytes, words, 1), EBADF);
    assert.equal(addon.gather(nothing, []), EBADF);
    assert.equal(addon.bind(nothing, shared.bytes, 1), EBADF);
    assert.equal(
        addon.start(nothing, () => undefined),
        EBADF,
    );
    assert.equal(addon.close(nothing), EBADF);
});

test("a netlink message that is no message gets an error, not a wait", () => {
    const addon = loadAddon();
    assert.ok(addon.netlink(new Uint8Array(0)) < 0);
    assert.ok(addon.netlink(new Uint8Array(16)) < 0);
});
