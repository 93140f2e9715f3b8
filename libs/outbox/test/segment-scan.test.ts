import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeFrame, encodeRecord } from "../src/frame.ts";
import { scanSegment } from "../src/segment-scan.ts";

const segments = fc
    .array(fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 })
    .map((groups) => {
        let index = 1;
        return groups.map((texts) => {
            const frame = encodeFrame(
                index,
                texts.map((text) => encodeRecord(2, text)),
            );
            index += texts.length;
            return frame;
        });
    });

const join = (frames: readonly Uint8Array[]): Uint8Array => new Uint8Array(frames.flatMap((frame) => [...frame]));
const indexes = (bytes: Uint8Array, last: boolean): number[] =>
    scanSegment(bytes, last).frames.map(({ firstIndex }) => firstIndex);

test("a whole segment is read whole", () => {
    fc.assert(
        fc.property(segments, fc.boolean(), (frames, last) => {
            const bytes = join(frames);
            const scan = scanSegment(bytes, last);
            assert.equal(scan.frames.length, frames.length);
            assert.deepEqual([scan.wholeLength, scan.damages], [bytes.length, []]);
        }),
    );
});

test("a torn last write costs that write and nothing else", () => {
    fc.assert(
        fc.property(segments, fc.nat(), fc.uint8Array({ maxLength: 20 }), (frames, cut, rubbish) => {
            const whole = join(frames.slice(0, -1));
            const torn = frames.at(-1) ?? new Uint8Array();
            const bytes = new Uint8Array([...whole, ...torn.subarray(0, cut % torn.length), ...rubbish.map(() => 0)]);
            const scan = scanSegment(bytes, true);
            assert.deepEqual(scan.damages, []);
            assert.equal(scan.wholeLength, whole.length);
            assert.equal(scan.frames.length, frames.length - 1);
        }),
    );
});

test("a damaged frame before a good one is damage, and costs that frame only", () => {
    fc.assert(
        fc.property(
            segments.filter((frames) => frames.length > 1),
            fc.nat(),
            fc.nat(),
            (frames, which, position) => {
                const victim = which % (frames.length - 1);
                const before = indexes(join(frames), true);
                const damaged = frames.map((frame) => frame.slice());
                const bytes = damaged[victim] ?? new Uint8Array();
                const bit = position % (bytes.length * 8);
                bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
                const scan = scanSegment(join(damaged), true);
                assert.deepEqual(
                    scan.frames.map(({ firstIndex }) => firstIndex),
                    before.filter((_, index) => index !== victim),
                );
                assert.deepEqual(scan.damages, [
                    { offset: join(frames.slice(0, victim)).length, length: bytes.length },
                ]);
            },
        ),
    );
});

test("a bad end of a segment that has a successor is damage", () => {
    fc.assert(
        fc.property(segments, (frames) => {
            const bytes = join(frames);
            const scan = scanSegment(bytes.subarray(0, bytes.length - 1), false);
            assert.equal(scan.damages.length, 1);
            assert.equal(scan.frames.length, frames.length - 1);
        }),
    );
});

test("an empty segment holds nothing", () => {
    assert.deepEqual(scanSegment(new Uint8Array(), true), { frames: [], wholeLength: 0, damages: [] });
});
