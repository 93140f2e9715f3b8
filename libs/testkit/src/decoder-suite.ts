// The suites that every decoder of peers' bytes passes: vectors both ways, every way of cutting the stream, and random
// input.  A decoder has three outcomes and only three: a value, `undefined` (more bytes needed), or its own error.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "@postern/bytes";
import { PeerError } from "@postern/errors";
import { chunkings, hostileBytes } from "./hostile-bytes.ts";

export interface Vector<T> {
    readonly name: string;
    /** Hexadecimal; blanks and line breaks may group the digits. */
    readonly hex: string;
    readonly value: T;
    /** The encoder would write it in another way (reserved bits set, a redundant form): only decoding is compared. */
    readonly decodeOnly?: boolean;
}

export interface MalformedVector {
    readonly name: string;
    readonly hex: string;
    /** The error code that the decoder must give. */
    readonly code: string;
}

interface CommonSuite<T> {
    readonly name: string;
    readonly encode: (value: T) => Uint8Array;
    readonly vectors: readonly Vector<T>[];
    readonly malformed: readonly MalformedVector[];
    /** Values that the encoder accepts and the decoder gives back unchanged. */
    readonly arbitrary: fc.Arbitrary<T>;
    /** The only error the decoder may throw; default any `PeerError`. */
    readonly isOwnError?: (error: unknown) => boolean;
    /** Runs of each random property; default 300. */
    readonly runs?: number;
}

/** A value and how many bytes of the input it took. */
export interface Decoded<T> {
    readonly value: T;
    readonly size: number;
}

/** For a function that looks at the beginning of a buffer: value and size, `undefined` while incomplete, or throw. */
export interface DecoderSuite<T> extends CommonSuite<T> {
    readonly decode: (bytes: Uint8Array) => Decoded<T> | undefined;
}

/** A decoder with state: takes the stream chunk by chunk and gives the values that became complete. */
export interface PushDecoder<T> {
    push(chunk: Uint8Array): Iterable<T>;
}

/** For a function that is given exactly one message, whose length the layer below knows. */
export interface MessageDecoderSuite<T> extends CommonSuite<T> {
    readonly decode: (bytes: Uint8Array) => T;
}

/** Registers the suites for a decoder of the form `(bytes) => { value, size } | undefined`. */
export function testStreamDecoder<T>(suite: DecoderSuite<T>): void {
    testPushDecoder({ ...suite, create: () => new Accumulator(suite.decode) });
    test(`${suite.name}: a value does not depend on what follows it`, () => {
        for (const { hex, value } of suite.vectors) {
            const bytes = parse(hex);
            const followed = Buffer.concat([bytes, bytes, Buffer.from([0xff, 0x00])]);
            for (const input of [bytes, Uint8Array.from(followed)]) {
                assert.deepEqual(plain(suite.decode(input)), plain({ value, size: bytes.length }));
            }
        }
    });
}

/** Registers the suites for a decoder with state; `create` makes a fresh one. */
export function testPushDecoder<T>(suite: CommonSuite<T> & { readonly create: () => PushDecoder<T> }): void {
    const { create, encode, vectors, malformed, arbitrary, runs: numRuns = 300 } = suite;
    const isOwn = suite.isOwnError ?? ((error: unknown) => error instanceof PeerError);

    describe(suite.name, () => {
        testVectors(suite, (bytes) => {
            const { values, error } = feed(create(), [bytes]);
            assert.ifError(error);
            assert.equal(values.length, 1, "one vector is one value");
            return values[0] as T; // there is one: the line above
        });

        for (const { name, hex, code } of malformed) {
            test(`malformed: ${name}`, () => {
                const bytes = parse(hex);
                for (const chunks of [[bytes], singleBytes(bytes)])
                    assertOwn(feed(create(), chunks).error, code, isOwn);
            });
        }

        test("one byte at a time: nothing before the last byte, the value with it", () => {
            for (const { name, hex, value } of vectors) {
                const decoder = create();
                const bytes = parse(hex);
                for (let at = 0; at < bytes.length - 1; at += 1) {
                    assert.deepEqual([...decoder.push(bytes.subarray(at, at + 1))], [], `${name}: byte ${at}`);
                }
                const last = [...decoder.push(bytes.subarray(bytes.length - 1))];
                assert.deepEqual(plain(last), plain([value]), name);
            }
        });

        test("all vectors in one stream, cut at every place", () => {
            const stream = Uint8Array.from(Buffer.concat(vectors.map(({ hex }) => parse(hex))));
            const expected = vectors.map(({ value }) => plain(value));
            for (let at = 0; at <= stream.length; at += 1) {
                const outcome = feed(create(), [stream.subarray(0, at), stream.subarray(at)]);
                assert.deepEqual(outcome, { values: expected, error: undefined }, `cut at ${at}`);
            }
        });

        test("any values, cut anywhere, come out as they went in", () => {
            const values = fc.array(arbitrary, { minLength: 1, maxLength: 5 });
            const property = fc.property(values, fc.infiniteStream(fc.nat()), (expected, cuts) => {
                const stream = Uint8Array.from(Buffer.concat(expected.map((value) => encode(value))));
                const outcome = feed(create(), chunkings(stream, cuts));
                assert.deepEqual(outcome, { values: plain(expected), error: undefined });
            });
            fc.assert(property, { numRuns });
        });

        test("hostile bytes: only its own error, and the same outcome however the stream is cut", () => {
            const property = fc.property(
                hostileBytes(arbitrary.map(encode)),
                fc.infiniteStream(fc.nat()),
                (bytes, cuts) => {
                    const whole = feed(create(), [bytes]);
                    const cut = feed(create(), chunkings(bytes, cuts));
                    if (whole.error !== undefined) assertOwn(whole.error, undefined, isOwn);
                    assert.deepEqual(cut.values, whole.values);
                    assert.equal(codeOf(cut.error), codeOf(whole.error));
                },
            );
            fc.assert(property, { numRuns });
        });
    });
}

/** Registers the suites for a decoder that is given exactly one message: it never asks for more, it refuses. */
export function testMessageDecoder<T>(suite: MessageDecoderSuite<T>): void {
    const { decode, encode, malformed, arbitrary, runs: numRuns = 300 } = suite;
    const isOwn = suite.isOwnError ?? ((error: unknown) => error instanceof PeerError);

    describe(suite.name, () => {
        testVectors(suite, decode);

        for (const { name, hex, code } of malformed) {
            test(`malformed: ${name}`, () =>
                assertOwn(
                    errorOf(() => decode(parse(hex))),
                    code,
                    isOwn,
                ));
        }

        test("cut short at every place: a value or its own error", () => {
            for (const { hex } of suite.vectors) {
                const bytes = parse(hex);
                for (let length = 0; length < bytes.length; length += 1) {
                    const error = errorOf(() => decode(bytes.subarray(0, length)));
                    if (error !== undefined) assertOwn(error, undefined, isOwn);
                }
            }
        });

        test("any value comes out as it went in", () => {
            const property = fc.property(arbitrary, (value) => {
                assert.deepEqual(plain(decode(encode(value))), plain(value));
            });
            fc.assert(property, { numRuns });
        });

        test("hostile bytes: only its own error", () => {
            const property = fc.property(hostileBytes(arbitrary.map(encode)), (bytes) => {
                const error = errorOf(() => decode(bytes));
                if (error !== undefined) assertOwn(error, undefined, isOwn);
            });
            fc.assert(property, { numRuns });
        });
    });
}

function testVectors<T>(suite: CommonSuite<T>, decode: (bytes: Uint8Array) => T): void {
    for (const { name, hex, value, decodeOnly = false } of suite.vectors) {
        test(`vector: ${name}`, () => {
            assert.deepEqual(plain(decode(parse(hex))), plain(value));
            if (!decodeOnly) assert.equal(toHex(suite.encode(value)), toHex(parse(hex)));
        });
    }
}

/** Makes a push decoder of a function over the bytes received so far. */
class Accumulator<T> implements PushDecoder<T> {
    readonly #decode: (bytes: Uint8Array) => Decoded<T> | undefined;
    #bytes = new Uint8Array(0);

    constructor(decode: (bytes: Uint8Array) => Decoded<T> | undefined) {
        this.#decode = decode;
    }

    *push(chunk: Uint8Array): Iterable<T> {
        this.#bytes = Uint8Array.from(Buffer.concat([this.#bytes, chunk]));
        for (;;) {
            const decoded = this.#decode(this.#bytes);
            if (decoded === undefined) return;
            assert.ok(
                decoded.size > 0 && decoded.size <= this.#bytes.length,
                `size ${decoded.size} is not in the input`,
            );
            this.#bytes = this.#bytes.slice(decoded.size);
            yield decoded.value;
        }
    }
}

interface Outcome<T> {
    readonly values: readonly T[];
    readonly error: unknown;
}

/** All values up to the end of the stream or to the first error; each is copied before the next one is asked for. */
function feed<T>(decoder: PushDecoder<T>, chunks: Iterable<Uint8Array>): Outcome<T> {
    const values: T[] = [];
    const error = errorOf(() => {
        for (const chunk of chunks) {
            for (const value of decoder.push(chunk)) values.push(plain(value));
        }
    });
    return { values, error };
}

/** A deep copy without prototypes of the maker's choice (a null prototype, `Buffer`), so that only content is compared. */
const plain = <T>(value: T): T => structuredClone(value);

function errorOf(action: () => unknown): unknown {
    try {
        action();
        return undefined;
    } catch (error) {
        return error;
    }
}

function assertOwn(error: unknown, code: string | undefined, isOwn: (error: unknown) => boolean): void {
    assert.notEqual(error, undefined, "it accepts what it must refuse");
    if (!isOwn(error)) throw error;
    if (code !== undefined) assert.equal(codeOf(error), code);
}

const codeOf = (error: unknown): unknown => (error instanceof PeerError ? error.code : error);

const singleBytes = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));

const parse = (hex: string): Uint8Array => fromHex(hex.replace(/\s+/gu, ""));
