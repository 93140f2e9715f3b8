import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc32c } from "../src/crc32c.ts";
import { decodeFrame, encodeFrame, encodeRecord, findFrame, MAX_FRAME_SIZE } from "../src/frame.ts";

const frames = fc.record({
    firstIndex: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    records: fc.array(
        fc
            .tuple(fc.integer({ min: 0, max: 255 }), fc.json())
            .map(([kind, text]) => ({ kind, value: JSON.parse(text) as unknown })),
        {
            maxLength: 5,
        },
    ),
});

const encode = ({
    firstIndex,
    records,
}: {
    firstIndex: number;
    records: { kind: number; value: unknown }[];
}): Uint8Array =>
    encodeFrame(
        firstIndex,
        records.map(({ kind, value }) => encodeRecord(kind, value)),
    );

test("CRC-32C has the values of RFC 3720 B.4", () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a91_36aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8_ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd_794e);
    assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe306_9283);
});

test("a frame is read as it was written, wherever it lies", () => {
    fc.assert(
        fc.property(frames, fc.nat({ max: 9 }), (frame, offset) => {
            const bytes = encode(frame);
            const placed = new Uint8Array(offset + bytes.length + 3);
            placed.set(bytes, offset);
            const decoded = decodeFrame(placed, offset);
            assert.equal(decoded?.size, bytes.length);
            assert.equal(decoded.firstIndex, frame.firstIndex);
            assert.deepEqual(
                decoded.records.map(({ kind, text }) => ({ kind, value: JSON.parse(text) as unknown })),
                frame.records,
            );
        }),
    );
});

test("a frame that is cut short is incomplete, never something else", () => {
    fc.assert(
        fc.property(frames, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (frame, part) => {
            const bytes = encode(frame);
            assert.equal(decodeFrame(bytes.subarray(0, Math.floor(bytes.length * part))), undefined);
        }),
    );
});

test("a frame with any bit turned is not taken for one", () => {
    fc.assert(
        fc.property(frames, fc.nat(), (frame, position) => {
            const bytes = encode(frame);
            const bit = position % (bytes.length * 8);
            bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
            try {
                assert.equal(decodeFrame(bytes), undefined);
            } catch (error) {
                assert.ok(error instanceof Error && "code" in error && error.code === "OUTBOX_CORRUPT");
            }
        }),
    );
});

test("arbitrary bytes give OUTBOX_CORRUPT or an incomplete frame", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
            try {
                assert.equal(decodeFrame(bytes), undefined);
            } catch (error) {
                assert.ok(error instanceof Error && "code" in error && error.code === "OUTBOX_CORRUPT");
            }
            assert.equal(findFrame(bytes, 0), undefined);
        }),
    );
});

test("the next whole frame is found behind rubbish", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), frames, (rubbish, frame) => {
            const bytes = encode(frame);
            assert.equal(findFrame(new Uint8Array([...rubbish, ...bytes]), 0), rubbish.length);
        }),
    );
});

test("a frame larger than a reader would believe is not written", () => {
    assert.throws(() => encodeFrame(1, [encodeRecord(1, "x".repeat(MAX_FRAME_SIZE))]), { code: "INVARIANT" });
});
