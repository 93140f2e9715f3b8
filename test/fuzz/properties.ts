// What holds for every decoder, in words that fuzz targets share.
import assert from "node:assert/strict";
import { PeerError, PosternError } from "@postern/errors";

/** A value, `undefined` (more is needed), or the decoder's own error. */
export type Outcome<T> = { readonly value: T | undefined } | { readonly error: PosternError };

/** The outcome of `decode`; what it throws and may not throw goes on to the fuzzer. */
export function outcomeOf<T>(
    decode: () => T | undefined,
    isOwn: (error: unknown) => boolean = isPeerError,
): Outcome<T> {
    try {
        return { value: decode() };
    } catch (error) {
        if (error instanceof PosternError && isOwn(error)) return { error };
        throw error;
    }
}

const isPeerError = (error: unknown): boolean => error instanceof PeerError;

/** The value, where there is one. */
export const valueOf = <T>(outcome: Outcome<T>): T | undefined => ("value" in outcome ? outcome.value : undefined);

/** To be compared: errors by their code, because the detail may name an offset. */
export const plainOutcome = <T>(outcome: Outcome<T>): unknown =>
    "error" in outcome ? { error: outcome.error.code } : { value: outcome.value };

/**
 * A decoder of the beginning of a stream, given a part of what it was given before: it says the same as far as the part
 * reaches, and never something else.
 */
export function assertPrefixAgrees<T>(
    whole: Outcome<T>,
    part: Outcome<T>,
    sizeOf: (value: T) => number,
    partSize: number,
): void {
    const value = valueOf(whole);
    if (value !== undefined && sizeOf(value) <= partSize) {
        assert.deepEqual(plainOutcome(part), plainOutcome(whole), "a value that was complete");
    } else if ("error" in part) {
        assert.ok("error" in whole, "an error that more bytes would have cured");
        assert.equal(part.error.code, whole.error.code);
    } else {
        assert.equal(part.value, undefined, "a value from too few bytes");
    }
}

/** Where to cut an input of `size` bytes in two: chosen by the input itself, so that a run can be repeated. */
export const cutPoint = (bytes: Uint8Array): number =>
    bytes.length === 0 ? 0 : ((bytes[0] ?? 0) * 31 + (bytes.at(-1) ?? 0) * 7 + bytes.length) % (bytes.length + 1);

/** The bytes as a client's pieces: sizes taken from `sizes` over and over (0 counts as 256). */
export function* pieces(bytes: Uint8Array, sizes: Uint8Array): Iterable<Uint8Array> {
    let index = 0;
    for (let at = 0; at < bytes.length; index += 1) {
        const size = sizes[index % Math.max(1, sizes.length)] || 256;
        yield bytes.subarray(at, at + size);
        at += size;
    }
}

/** Takes fields off the front of an input. */
export class Input {
    readonly #bytes: Uint8Array;
    #at = 0;

    constructor(bytes: Uint8Array) {
        this.#bytes = bytes;
    }

    get empty(): boolean {
        return this.#at >= this.#bytes.length;
    }

    /** The next byte; 0 when there is none. */
    u8(): number {
        return this.#bytes[this.#at++] ?? 0;
    }

    /** The next `size` bytes, or as many as there are. */
    take(size: number): Uint8Array {
        const taken = this.#bytes.subarray(this.#at, this.#at + size);
        this.#at += size;
        return taken;
    }

    rest(): Uint8Array {
        return this.take(this.#bytes.length);
    }
}
