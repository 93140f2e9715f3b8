import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AnswerLimit } from "../src/answer-limit.ts";

test("ten answers at once, then ten a second", () => {
    let now = 5_000;
    const limit = new AnswerLimit(() => now);
    const send = (): boolean => {
        const { isOpen } = limit;
        if (isOpen) limit.spend();
        return isOpen;
    };
    const sendMany = (): number => Array.from({ length: 50 }, send).filter((isSent) => isSent).length;
    assert.equal(sendMany(), 10);
    now += 99;
    assert.equal(sendMany(), 0);
    now += 1;
    assert.equal(sendMany(), 1);
    now += 350;
    assert.equal(sendMany(), 3);
    now += 3_600_000;
    assert.equal(sendMany(), 10);
});

test("however they come, there are never more than ten and ten for each second", () => {
    fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 300 }), (pauses) => {
            let now = 0;
            let sent = 0;
            const limit = new AnswerLimit(() => now);
            for (const pause of pauses) {
                now += pause;
                if (limit.isOpen) {
                    limit.spend();
                    sent += 1;
                }
                assert.ok(sent <= 10 + now / 100 + 1e-6);
            }
        }),
    );
});
