import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NO_TRAFFIC, noDrops } from "../src/packet-path.ts";
import { SessionTable, type TableEntry } from "../src/session-table.ts";
import type { Run } from "../src/uplink.ts";

const entry = (id: string, slot: number, delivered: Run[] = []): TableEntry => ({
    id,
    slot,
    deliver: (run) => void delivered.push(run),
    traffic: { counters: { ...NO_TRAFFIC, packetsIn: 1, bytesOut: 10 }, drops: { ...noDrops(), malformed: 2 } },
});

test("slots are small, of one session at a time, and used again", () => {
    fc.assert(
        fc.property(fc.array(fc.nat(9), { maxLength: 200 }), (ids) => {
            const table = new SessionTable<TableEntry>(6);
            const live = new Map<string, number>();
            let ended = 0;
            for (const number of ids) {
                const id = `session-${number}`;
                if (live.has(id)) {
                    table.remove(id);
                    table.remove(id);
                    live.delete(id);
                    ended += 1;
                } else {
                    const slot = table.takeSlot();
                    assert.equal(slot === undefined, live.size === 6);
                    if (slot === undefined) continue;
                    assert.ok(slot < 6 && ![...live.values()].includes(slot));
                    table.add(entry(id, slot));
                    live.set(id, slot);
                }
                assert.equal(table.size, live.size);
                assert.equal(table.isFull, live.size === 6);
            }
            const { counters, drops } = table.traffic;
            assert.equal(counters.packetsIn, ended + live.size);
            assert.equal(counters.bytesOut, 10 * (ended + live.size));
            assert.equal(drops.malformed, 2 * (ended + live.size));
        }),
    );
});

test("packets go to the session in the slot; those for nobody are given back", () => {
    const table = new SessionTable<TableEntry>(2);
    const delivered: Run[] = [];
    let released = 0;
    const run: Run = {
        bytes: new Uint8Array(0),
        count: 0,
        offset: () => 0,
        size: () => 0,
        release: () => (released += 1),
    };
    const slot = table.takeSlot() ?? -1;
    table.add(entry("a", slot, delivered));
    table.deliver(slot, run);
    table.deliver(slot + 1, run);
    table.remove("a");
    table.deliver(slot, run);
    assert.deepEqual([delivered.length, released], [1, 2]);
    assert.equal(table.get("a"), undefined);
});
