import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InboundBatch } from "../src/inbound-batch.ts";

test("every packet is written once, in order, in as few calls as there are chunks", () => {
    const chunks = fc.array(fc.array(fc.tuple(fc.nat(100), fc.nat(50)), { maxLength: 600 }), { maxLength: 5 });
    fc.assert(
        fc.property(chunks, (list) => {
            const written: (readonly [Uint8Array, number, number])[] = [];
            let calls = 0;
            const batch = new InboundBatch({
                write: (bytes, spans, count) => {
                    calls += 1;
                    for (let at = 0; at < count; at += 1) {
                        written.push([bytes, spans[2 * at] ?? -1, spans[2 * at + 1] ?? -1]);
                    }
                },
            });
            const expected: (readonly [Uint8Array, number, number])[] = [];
            for (const packets of list) {
                const chunk = new Uint8Array(1);
                for (const [at, size] of packets) {
                    batch.add(chunk, at, size);
                    expected.push([chunk, at, size]);
                }
            }
            batch.flush();
            batch.flush();
            assert.deepEqual(written, expected);
            const needed = list.reduce((sum, packets) => sum + Math.ceil(packets.length / 256), 0);
            assert.equal(calls, needed);
        }),
    );
});

test("a write that fails leaves an empty batch behind", () => {
    let fails = true;
    const sizes: number[] = [];
    const batch = new InboundBatch({
        write: (_bytes, _spans, count) => {
            if (fails) throw new TypeError("the device is gone");
            sizes.push(count);
        },
    });
    batch.add(new Uint8Array(1), 0, 1);
    assert.throws(() => batch.flush(), TypeError);
    fails = false;
    batch.add(new Uint8Array(1), 0, 1);
    batch.flush();
    assert.deepEqual(sizes, [1]);
});
