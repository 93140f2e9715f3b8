import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionRounds, type Visited } from "../src/session-rounds.ts";

const session = (slot: number, isOpen = true): Visited => ({ slot, isOpen });

test("every open session has its turn once an interval, and never all at the same time", () => {
    const sessions = Array.from({ length: 600 }, (_, slot) => session(slot, slot % 10 !== 0));
    const told: number[] = [];
    const rounds = new SessionRounds(
        60_000,
        () => sessions,
        ({ slot }) => told.push(slot),
    );
    assert.equal(rounds.interval, 1_000);
    const shares: number[] = [];
    for (let step = 0; step < 60; step += 1) {
        const before = told.length;
        rounds.step();
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
    const short = new SessionRounds(
        1_000,
        () => [session(7)],
        ({ slot }) => told.push(slot),
    );
    assert.equal(short.interval, 1_000);
    short.step();
    short.step();
    assert.deepEqual(told, [7, 7]);
    assert.equal(
        new SessionRounds(
            2_500,
            () => [],
            () => undefined,
        ).interval * 2,
        2_500,
    );
});
