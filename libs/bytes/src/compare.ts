// Joining and comparing byte strings.

/** One new array with all `parts` in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
    const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
        joined.set(part, at);
        at += part.length;
    }
    return joined;
}

/** Equality of public values; for anything that authenticates, use `equalBytesConstantTime`. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Equality whose duration depends on the lengths alone, never on where the first difference is. */
export function equalBytesConstantTime(a: Uint8Array, b: Uint8Array): boolean {
    if (a.length !== b.length) return false;
    let difference = 0;
    for (let at = 0; at < a.length; at += 1) difference |= (a[at] ?? 0) ^ (b[at] ?? 0);
    return difference === 0;
}

/**
 * A copy of the octets from `from` up to `to`, in memory of its own.  Unlike `slice`, which a Node `Buffer` overrides to
 * return a view of the same memory.
 */
export const copyBytes = (bytes: Uint8Array, from = 0, to = bytes.length): Uint8Array<ArrayBuffer> =>
    new Uint8Array(bytes.subarray(from, to));
