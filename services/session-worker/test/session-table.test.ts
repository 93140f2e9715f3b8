import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NO_TRAFFIC, noDrops } from "@postern/tun";
import { SessionTable, type TableEntry } from "../src/session-table.ts";

const entry = (id: string, slot: number): TableEntry => ({
    id,
    slot,
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
