import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SequenceRanges } from "../src/sequence-ranges.ts";

const MAX = 60;

function rangesOf(model: ReadonlySet<number>): [number, number][] {
    const list: [number, number][] = [];
    for (let number = 1; number <= MAX; number += 1) {
        if (!model.has(number)) continue;
        const last = list.at(-1);
        if (last !== undefined && last[1] === number - 1) last[1] = number;
        else list.push([number, number]);
    }
    return list;
}

test("ranges do what a set of numbers does", () => {
    const change = fc.record({
        adds: fc.boolean(),
        first: fc.integer({ min: 1, max: MAX }),
        length: fc.integer({ min: 0, max: 6 }),
    });
    fc.assert(
        fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
            const [ranges, model] = [new SequenceRanges(), new Set<number>()];
            for (const { adds, first, length } of changes) {
                const last = Math.min(MAX, first + length);
                if (adds) ranges.add(first, last);
                else ranges.delete(first, last);
                for (let number = first; number <= last; number += 1) {
                    if (adds) model.add(number);
                    else model.delete(number);
                }
                assert.deepEqual(ranges.list, rangesOf(model));
                assert.equal(ranges.size, model.size);
                assert.equal(ranges.last, Math.max(0, ...model));
            }
            for (let number = 1; number <= MAX; number += 1) assert.equal(ranges.has(number), model.has(number));
            const holes = ranges
                .holes()
                .flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
            const expected = Array.from({ length: ranges.last }, (_, index) => index + 1).filter(
                (number) => !model.has(number),
            );
            assert.deepEqual(holes, expected);
        }),
        { numRuns: 500 },
    );
});

test("the lowest ranges are forgotten first", () => {
    const ranges = new SequenceRanges([
        [1, 2],
        [4, 4],
        [7, 9],
    ]);
    ranges.forgetBeyond(2);
    assert.deepEqual(ranges.list, [
        [4, 4],
        [7, 9],
    ]);
    ranges.forgetBeyond(2);
    assert.equal(ranges.size, 4);
});
