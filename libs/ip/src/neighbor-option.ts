// The options at the end of a neighbor discovery message, RFC 4861 §4.6.
//   type:8 | length:8, in units of 8 bytes and of the whole option | value
import { readU8 } from "@postern/bytes";

const UNIT = 8;
const HEADER_SIZE = 2;

export interface NeighborOption {
    readonly type: number;
    /** The whole option; aliases the message. */
    readonly bytes: Uint8Array;
}

/** The options from `at` to the end of `message`; `undefined` where one has no length or goes beyond the end (RFC 4861 §6.1). */
export function readNeighborOptions(message: Uint8Array, at: number): readonly NeighborOption[] | undefined {
    const options: NeighborOption[] = [];
    for (let start = at, end: number; start < message.length; start = end) {
        if (message.length - start < HEADER_SIZE) return undefined;
        end = start + readU8(message, start + 1) * UNIT;
        if (end === start || end > message.length) return undefined;
        options.push({ type: readU8(message, start), bytes: message.subarray(start, end) });
    }
    return options;
}

/** An option of zeros with its type and length in place; `size` is a multiple of 8. */
export function createNeighborOption(type: number, size: number): Uint8Array<ArrayBuffer> {
    const option = new Uint8Array(size);
    option[0] = type;
    option[1] = size / UNIT;
    return option;
}
