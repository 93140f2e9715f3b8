import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIpv6 } from "@postern/ip";
import { DROP_REASONS } from "@postern/tun";
import { SessionMemory } from "../src/session-memory.ts";

const SIZE = 128;
/** Of `struct Session` in native/session.h. */
const FLAGS = { ipv4Open: 1, ipv6Open: 2, anySource: 4 };

/** The block of `slot` as the addon sees it: eight words of rules, then twelve counters. */
const native = (memory: SessionMemory, slot: number) => ({
    rules: new Uint32Array(memory.bytes.buffer, slot * SIZE, 8),
    counters: new Float64Array(memory.bytes.buffer, slot * SIZE + 32, 12),
});

test("rules are where the addon reads them, of their own slot only", () => {
    const memory = new SessionMemory(3);
    assert.equal(memory.slots, 3);
    const block = memory.claim(1);
    block.setSource("10.91.0.5");
    block.setNetwork({ version: 6, network: parseIpv6("fd91:0:0:5::"), prefixLength: 64 });
    block.setGate(true, false, 1400);
    const { rules } = native(memory, 1);
    assert.deepEqual([...memory.bytes.subarray(SIZE + 4, SIZE + 8)], [10, 91, 0, 5], "as it lies in a packet");
    assert.deepEqual([...memory.bytes.subarray(SIZE + 8, SIZE + 16)], [0xfd, 0x91, 0, 0, 0, 0, 0, 5]);
    assert.deepEqual([rules[0], rules[4]], [FLAGS.ipv4Open, 1400]);
    block.setSource(undefined);
    block.setGate(false, true, 1280);
    assert.deepEqual([rules[0], rules[4]], [FLAGS.ipv6Open | FLAGS.anySource, 1280]);
    block.setSource("10.91.0.6");
    assert.equal(rules[0], FLAGS.ipv6Open);
    const others = Buffer.concat([memory.bytes.subarray(0, SIZE), memory.bytes.subarray(2 * SIZE)]);
    assert.ok(others.every((byte) => byte === 0));
});

test("counters are those that the addon counts, and copies", () => {
    const memory = new SessionMemory(2);
    const block = memory.claim(1);
    const { counters } = native(memory, 1);
    counters.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const seen = block.counters();
    assert.deepEqual(seen, { packetsIn: 1, bytesIn: 2, packetsOut: 3, bytesOut: 4, droppedIn: 5, droppedOut: 6 });
    assert.deepEqual(
        DROP_REASONS.map((reason) => block.drops()[reason]),
        [7, 8, 9, 10, 11, 12],
    );
    counters.fill(0);
    assert.equal(seen.packetsIn, 1);
});

test("what TypeScript drops is counted with the rest", () => {
    const memory = new SessionMemory(1);
    const block = memory.claim(0);
    native(memory, 0).counters.set([0, 0, 10, 1000, 1, 2]);
    for (const reason of ["gate-closed", "malformed", "foreign-source", "not-routed"] as const) block.dropIn(reason);
    block.unsend(4, 300);
    assert.partialDeepStrictEqual(block.counters(), { packetsOut: 6, bytesOut: 700, droppedIn: 5, droppedOut: 6 });
    assert.deepEqual(block.drops(), {
        "gate-closed": 1,
        malformed: 1,
        "foreign-source": 1,
        "not-routed": 1,
        "too-big": 0,
        "queue-full": 4,
    });
});

test("whoever claims a slot begins with nothing of its last session", () => {
    const memory = new SessionMemory(2);
    const before = memory.claim(1);
    before.setSource(undefined);
    before.setGate(true, true, 1400);
    before.dropIn("malformed");
    const after = memory.claim(1);
    assert.ok(memory.bytes.every((byte) => byte === 0));
    assert.equal(after.counters().droppedIn, 0);
});
