import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@postern/testkit";
import { PeerLines } from "../src/peer-lines.ts";

function record() {
    const clock = new FakeClock();
    const written: string[] = [];
    const sums: { fields: object; message: string }[] = [];
    const lines = new PeerLines({
        log: {
            info: (_fields: object, message?: string) => void written.push(message ?? ""),
            warn: (fields: object, message?: string) => void sums.push({ fields, message: message ?? "" }),
        },
        lines: 3,
        window: 10_000,
        now: clock.now,
        after(milliseconds, callback) {
            const timer = clock.setTimeout(callback, milliseconds);
            return () => clock.clearTimeout(timer);
        },
    });
    return { clock, written, sums, lines };
}

test("a few lines as they come, the rest in one that says how many, from how many, and from whom most", () => {
    const { clock, written, sums, lines } = record();
    for (let index = 0; index < 100; index += 1)
        lines.add("refused", `192.0.2.${index % 5 === 0 ? 1 : index}`, { index });
    assert.equal(written.length, 3);
    assert.deepEqual(sums, []);
    clock.advance(10_000);
    assert.deepEqual(sums, [
        {
            fields: { count: 97, seconds: 10, sources: 79, mostFrom: "192.0.2.1", most: 19 },
            message: "refused: 97 more in 10 s, from 79 sources",
        },
    ]);
    clock.advance(100_000);
    assert.equal(sums.length, 1);
    assert.equal(clock.pending, 0);
});

test("after a window, and with each kind, it begins anew; what is rare is never held back", () => {
    const { clock, written, sums, lines } = record();
    for (let times = 0; times < 10; times += 1) {
        lines.add("one", "192.0.2.1", {});
        lines.add("other", "192.0.2.1", {});
        clock.advance(4_000);
    }
    assert.equal(written.length, 20);
    assert.deepEqual(sums, []);
    for (let times = 0; times < 5; times += 1) lines.add("one", "192.0.2.1", {});
    assert.equal(written.length, 22, "one line of this window was written before");
    clock.advance(10_000);
    assert.equal(sums.length, 1);
    lines.add("one", "192.0.2.1", {});
    assert.equal(written.length, 23);
});

test("memory stays small however many sources there are; flush says what is left, once", () => {
    const { clock, sums, lines } = record();
    for (let index = 0; index < 50_000; index += 1) lines.add("refused", `source ${index}`, {});
    lines.flush();
    lines.flush();
    assert.deepEqual(
        sums.map(({ message }) => message),
        ["refused: 49997 more in 0 s, from 1000 or more sources"],
    );
    assert.equal(clock.pending, 0);
});
