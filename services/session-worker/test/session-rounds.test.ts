import assert from "node:assert/strict";
import { test } from "node:test";
import { CounterUpdates, type Updatable } from "../src/counter-updates.ts";
import { NO_TRAFFIC } from "@postern/tun";
import { facts } from "./doubles.ts";

const session = (slot: number, isOpen = true): Updatable => ({ slot, isOpen, facts: facts(), counters: NO_TRAFFIC });

test("every open session has its turn once an interval, and never all at the same time", () => {
    const sessions = Array.from({ length: 600 }, (_, slot) => session(slot, slot % 10 !== 0));
    const told: number[] = [];
    const updates = new CounterUpdates(
        60_000,
        () => sessions,
        ({ slot }) => told.push(slot),
    );
    assert.equal(updates.interval, 1_000);
    const shares: number[] = [];
    for (let step = 0; step < 60; step += 1) {
        const before = told.length;
        updates.step();
        shares.push(told.length - before);
    }
    assert.deepEqual(
        told.toSorted((a, b) => a - b),
        sessions.filter(({ isOpen }) => isOpen).map(({ slot }) => slot),
    );
    assert.ok(Math.max(...shares) <= 10);
});

test("an interval too short to spread is one step; an odd one keeps its length", () => {
    const told: number[] = [];
    const short = new CounterUpdates(
        1_000,
        () => [session(7)],
        ({ slot }) => told.push(slot),
    );
    assert.equal(short.interval, 1_000);
    short.step();
    short.step();
    assert.deepEqual(told, [7, 7]);
    assert.equal(
        new CounterUpdates(
            2_500,
            () => [],
            () => undefined,
        ).interval * 2,
        2_500,
    );
});
