import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { PeerError } from "@postern/errors";
import { testMessageDecoder, testPushDecoder, testStreamDecoder, type Decoded } from "@postern/testkit";

// A small framing of the test's own: type 1 or 2, length of the body, body.
interface Frame {
    readonly type: number;
    readonly body: Uint8Array;
}

function decodeFrame(bytes: Uint8Array): Decoded<Frame> | undefined {
    const [type, length] = bytes;
    if (type === undefined) return undefined;
    if (type !== 1 && type !== 2) throw new PeerError("BUS_BAD_MESSAGE", `type ${type}`);
    if (length === undefined || bytes.length < 2 + length) return undefined;
    return { value: { type, body: bytes.subarray(2, 2 + length) }, size: 2 + length };
}

const encodeFrame = ({ type, body }: Frame): Uint8Array => Uint8Array.of(type, body.length, ...body);

const common = {
    encode: encodeFrame,
    vectors: [
        { name: "empty body", hex: "01 00", value: { type: 1, body: Uint8Array.of() } },
        { name: "three bytes", hex: "02 03 0a0b0c", value: { type: 2, body: Uint8Array.of(10, 11, 12) } },
    ],
    malformed: [{ name: "unknown type", hex: "03 00", code: "BUS_BAD_MESSAGE" }],
    arbitrary: fc.record({ type: fc.constantFrom(1, 2), body: fc.uint8Array({ maxLength: 255 }) }),
};

testStreamDecoder({ ...common, name: "frames by position", decode: decodeFrame });

testMessageDecoder({
    ...common,
    name: "frames of known length",
    decode: (bytes) => {
        const frame = decodeFrame(bytes);
        if (frame?.size !== bytes.length) throw new PeerError("BUS_BAD_MESSAGE", "length");
        return frame.value;
    },
});

testPushDecoder({
    ...common,
    name: "frames pushed in chunks",
    create: () => {
        let kept = new Uint8Array(0);
        return {
            *push(chunk) {
                kept = Uint8Array.from([...kept, ...chunk]);
                for (let frame = decodeFrame(kept); frame !== undefined; frame = decodeFrame(kept)) {
                    kept = kept.slice(frame.size);
                    yield frame.value;
                }
            },
        };
    },
});

// Every property of the suites must be able to fail: each of these decoders has one defect, and the suite names it.
interface Defect {
    readonly decode: string;
    readonly encode?: string;
    readonly foundBy: RegExp;
}

const DEFECTS: Readonly<Record<string, Defect>> = {
    "takes less than is there": {
        decode: `if (bytes.length < 2) return undefined;
            const size = Math.min(bytes.length, 2 + bytes[1]);
            return bytes[0] === 3 ? decodeFrame(bytes) : { value: { type: bytes[0], body: bytes.subarray(2, size) }, size };`,
        foundBy: /✖ one byte at a time/u,
    },
    "throws a foreign error": {
        decode: "if (bytes[1] > 200) throw new RangeError('long'); return decodeFrame(bytes);",
        foundBy: /✖ hostile bytes/u,
    },
    "refuses what is merely incomplete": {
        decode: "if (bytes.length === 1) throw new PeerError('BUS_BAD_MESSAGE'); return decodeFrame(bytes);",
        foundBy: /✖ all vectors in one stream/u,
    },
    "accepts what is malformed": {
        decode: "return bytes[0] === 3 ? { value: { type: 1, body: new Uint8Array() }, size: 2 } : decodeFrame(bytes);",
        foundBy: /✖ malformed: unknown type/u,
    },
    "includes what follows": {
        decode: `const frame = decodeFrame(bytes);
            return frame && { ...frame, value: { ...frame.value, body: bytes.subarray(2) } };`,
        foundBy: /✖ defective: a value does not depend on what follows it/u,
    },
    "does not match its encoder": {
        decode: "return decodeFrame(bytes);",
        encode: "return Uint8Array.of(3 - type, body.length, ...body);",
        foundBy: /✖ any values/u,
    },
};

for (const [defect, { decode, encode, foundBy }] of Object.entries(DEFECTS)) {
    test(`the stream suite finds a decoder that ${defect}`, () => {
        const program = `
            import fc from "fast-check";
            import { PeerError } from "@postern/errors";
            import { testStreamDecoder } from "@postern/testkit";
            ${decodeFrame.toString()}
            testStreamDecoder({
                name: "defective",
                decode: (bytes) => { ${decode} },
                encode: ({ type, body }) => { ${encode ?? "return Uint8Array.of(type, body.length, ...body);"} },
                vectors: [{ name: "three bytes", hex: "02030a0b0c", value: { type: 2, body: Uint8Array.of(10, 11, 12) } }],
                malformed: [{ name: "unknown type", hex: "0300", code: "BUS_BAD_MESSAGE" }],
                arbitrary: fc.record({ type: fc.constantFrom(1, 2), body: fc.uint8Array({ maxLength: 255 }) }),
            });
        `;
        const args = ["--test-reporter=spec", "--input-type=module-typescript", "--eval", program];
        // Without NODE_TEST_CONTEXT the child prints a report of its own instead of joining this run.
        const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
        const run = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8", env });
        assert.match(run.stdout, foundBy, run.stderr);
    });
}
