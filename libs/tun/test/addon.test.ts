import assert from "node:assert/strict";
import { test } from "node:test";
import { ARENA_SIZE, type DeviceHandle, isAddonBuilt, loadAddon, OFFLOADS, SharedMemory } from "../src/addon.ts";
import { SessionMemory } from "../src/session-memory.ts";

const EINVAL = -22;
const EBADF = -9;

test("the addon is built and refuses arguments of another shape instead of reading past them", () => {
    assert.ok(isAddonBuilt());
    const addon = loadAddon();
    assert.equal(addon, loadAddon());
    const { bytes: shared } = new SharedMemory();
    const { bytes: sessions } = new SessionMemory(1);
    const arena = new Uint8Array(ARENA_SIZE);
    const none = new Uint8Array(0);
    const ofWords = new Uint32Array(shared.length) as unknown as Uint8Array; // what TypeScript would not let through
    const open = (...memories: readonly [Uint8Array, Uint8Array, Uint8Array]): unknown =>
        addon.open("pst%d", 0, ...memories);
    for (const wrong of [none, ofWords, shared.subarray(8)]) assert.equal(open(wrong, sessions, arena), EINVAL);
    for (const wrong of [none, ofWords, sessions.subarray(8)]) assert.equal(open(shared, wrong, arena), EINVAL);
    for (const wrong of [none, ofWords, arena.subarray(1)]) assert.equal(open(shared, sessions, wrong), EINVAL);
    assert.equal(addon.open("pst%d", OFFLOADS.length, shared, sessions, arena), EINVAL);
    assert.equal(addon.open("pst%d", -1, shared, sessions, arena), EINVAL);
});

test("what is no open device is refused", () => {
    const addon = loadAddon();
    const bytes = new Uint8Array(8);
    const nothing = {} as unknown as DeviceHandle; // nor this
    assert.equal(addon.write(nothing, bytes, new Uint32Array(2), 1), EBADF);
    assert.equal(addon.gather(nothing, []), EBADF);
    assert.equal(addon.take(nothing, 0, bytes, 0, 8, true), EBADF);
    assert.equal(addon.flush(nothing), EBADF);
    assert.equal(addon.bind(nothing, bytes, 1), EBADF);
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
