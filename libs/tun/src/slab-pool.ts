// Memory for runs of packets.  A run outlives the call that delivers it (its TLS write is asynchronous), so every run gets a
// slab of its own size class: a client that does not read holds on to its own bytes and to nobody else's.

import { InvariantError } from "@postern/errors";

/** A run of one small packet must not hold on to much more than itself: a client that does not read may have many waiting. */
const SMALLEST_BITS = 8;
const LARGEST_BITS = 20;
/** The largest slab, 1 MiB: more than the largest batch with all its headrooms. */
export const MAX_SLAB_SIZE: number = 2 ** LARGEST_BITS;

/** Recycled buffers of 256 bytes, 512 bytes, … 1 MiB. */
export class SlabPool {
    readonly #free: readonly Buffer[][] = Array.from({ length: LARGEST_BITS - SMALLEST_BITS + 1 }, () => []);
    readonly #limit: number;
    #freeBytes = 0;

    /** `limit` bounds the bytes of free slabs that are kept; slabs in use are bounded by who uses them. */
    constructor(limit: number) {
        this.#limit = limit;
    }

    /** Bytes of free slabs. */
    get freeBytes(): number {
        return this.#freeBytes;
    }

    /** A buffer of at least `size` bytes (at most `MAX_SLAB_SIZE`), with old content. */
    take(size: number): Buffer {
        const slab = this.#class(size).pop();
        if (slab === undefined) return Buffer.allocUnsafeSlow(2 ** classBits(size));
        this.#freeBytes -= slab.length;
        return slab;
    }

    /** Gives back what `take` returned.  A slab that is never given back is garbage like any other. */
    giveBack(slab: Buffer): void {
        if (this.#freeBytes + slab.length > this.#limit) return;
        this.#freeBytes += slab.length;
        this.#class(slab.length).push(slab);
    }

    #class(size: number): Buffer[] {
        const list = this.#free[classBits(size) - SMALLEST_BITS];
        if (list === undefined) throw new InvariantError(`a slab of ${size} bytes`);
        return list;
    }
}

/** The exponent of the smallest power of two that holds `size`. */
const classBits = (size: number): number => Math.max(SMALLEST_BITS, 32 - Math.clz32(size - 1));
