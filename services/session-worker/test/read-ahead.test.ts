import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeLatin1 } from "@postern/bytes";
import { duplexPair } from "@postern/testkit";
import fc from "fast-check";
import { readAhead, StreamEndedError } from "../src/read-ahead.ts";

/** A word of this length, whatever it is. */
const word = (size: number) => (bytes: Uint8Array) =>
    bytes.length < size ? undefined : { value: Buffer.from(bytes.subarray(0, size)).toString("latin1"), size };

async function rest(stream: AsyncIterable<Buffer>): Promise<string> {
    let text = "";
    for await (const chunk of stream) text += chunk.toString("latin1");
    return text;
}

test("however the bytes are cut, what is recognised and what is left are the same", async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
        fc.asyncProperty(fc.string({ minLength: 1, maxLength: 40 }), fc.nat(40), cuts, async (text, at, sizes) => {
            const bytes = encodeLatin1(text.replaceAll(/[^\x20-\x7e]/g, "."));
            const size = Math.min(at, bytes.length);
            const { left, right } = duplexPair();
            const read = readAhead(right, word(size));
            for (let from = 0, index = 0; from < bytes.length; index += 1) {
                const until = from + (sizes[index % sizes.length] ?? 1);
                left.write(bytes.subarray(from, until));
                from = until;
            }
            left.end();
            const whole = Buffer.from(bytes).toString("latin1");
            assert.equal(await read, whole.slice(0, size));
            assert.equal(right.isPaused(), true);
            assert.equal(await rest(right), whole.slice(size));
        }),
        { numRuns: 200 },
    );
});

test("single bytes cost no more than their number, twice", async () => {
    const { left, right } = duplexPair({ highWaterMark: 1 });
    const seen: number[] = [];
    const size = 20_000;
    const read = readAhead(right, (bytes) => {
        seen.push(bytes.buffer.byteLength);
        return bytes.length < size ? undefined : { value: bytes.at(-1), size };
    });
    for (let at = 0; at < size; at += 1) left.write(Uint8Array.of(at & 0xff));
    assert.equal(await read, (size - 1) & 0xff);
    // Room was made for it a dozen times, not twenty thousand.
    assert.ok(new Set(seen).size < 20);
});

test("an end, a reset and a stream that has ended are told with what had come", async () => {
    const ended = duplexPair();
    const reading = readAhead(ended.right, word(10));
    ended.left.end("abc");
    await assert.rejects(reading, (error) => error instanceof StreamEndedError && error.received === 3);
    await assert.rejects(readAhead(ended.right, word(1)), StreamEndedError);
    const reset = duplexPair();
    reset.right.on("error", () => undefined);
    const waiting = readAhead(reset.right, word(10));
    reset.left.resetAndDestroy();
    await assert.rejects(waiting, (error) => error instanceof StreamEndedError && error.cause instanceof Error);
});

test("what the decoder throws comes through, and nobody listens any more", async () => {
    const { left, right } = duplexPair();
    const reading = readAhead(right, () => {
        throw new RangeError("no such word");
    });
    left.write("x");
    await assert.rejects(reading, RangeError);
    assert.equal(right.listenerCount("data") + right.listenerCount("close"), 0);
});
