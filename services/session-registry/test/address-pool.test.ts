import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AddressPool, type AddressState } from "../src/address-pool.ts";

const random = (): number => 0.5;

test("holes are cut out wherever they are", () => {
    const pool = new AddressPool(
        [
            { first: 10, last: 19 },
            { first: 30, last: 39 },
        ],
        [
            { first: 0, last: 10 },
            { first: 15, last: 16 },
            { first: 19, last: 30 },
            { first: 39, last: 99 },
            { first: 200, last: 300 },
        ],
    );
    const all = Array.from({ length: 400 }, (_, address) => address).filter((address) => pool.contains(address));
    assert.deepEqual(all, [11, 12, 13, 14, 17, 18, 31, 32, 33, 34, 35, 36, 37, 38]);
    assert.equal(pool.size, 14);
    assert.equal(pool.free, 14);
});

test("every address is taken once, the free ones first, then those held longest", () => {
    const pool = new AddressPool([{ first: 1, last: 6 }], []);
    pool.set(4, "held");
    pool.set(2, "held");
    pool.set(5, "used");
    const free = [pool.takeFree(random), pool.takeFree(random), pool.takeFree(random)];
    assert.deepEqual(
        free.toSorted((a, b) => Number(a) - Number(b)),
        [1, 3, 6],
    );
    assert.equal(pool.takeFree(random), undefined);
    assert.deepEqual([pool.takeHeld(), pool.takeHeld(), pool.takeHeld()], [4, 2, undefined]);
    assert.deepEqual([pool.free, pool.held, pool.used], [0, 0, 6]);
});

test("free addresses are chosen at random", () => {
    const pool = new AddressPool([{ first: 0, last: 999 }], []);
    const order = Array.from({ length: 1000 }, () => pool.takeFree(Math.random) ?? -1);
    assert.equal(new Set(order).size, 1000);
    assert.notDeepEqual(
        order,
        order.toSorted((a, b) => a - b),
    );
});

test("counts as a plain map does, in any order of changes", () => {
    const state = fc.constantFrom<AddressState>("free", "held", "used");
    fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(12), state), { maxLength: 60 }), (changes) => {
            const pool = new AddressPool(
                [
                    { first: 1, last: 4 },
                    { first: 7, last: 10 },
                ],
                [{ first: 3, last: 3 }],
            );
            const model = new Map<number, AddressState>([1, 2, 4, 7, 8, 9, 10].map((address) => [address, "free"]));
            for (const [address, to] of changes) {
                pool.set(address, to);
                if (model.has(address)) model.set(address, to);
                const count = (wanted: AddressState): number =>
                    [...model.values()].filter((one) => one === wanted).length;
                assert.deepEqual([pool.free, pool.held, pool.used], [count("free"), count("held"), count("used")]);
            }
            const left: number[] = [];
            for (let next = pool.takeFree(Math.random); next !== undefined; next = pool.takeFree(Math.random))
                left.push(next);
            const expected = [...model].filter(([, one]) => one === "free").map(([address]) => address);
            assert.deepEqual(
                left.toSorted((a, b) => a - b),
                expected,
            );
        }),
    );
});
