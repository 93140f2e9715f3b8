// What a peer may send: noise, valid messages, and valid messages that were damaged, which get further into a decoder.
import fc from "fast-check";

/** Random bytes, or a concatenation of valid messages with some bytes changed, cut out or put in. */
export function hostileBytes(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
    const damage = fc.record({
        at: fc.nat(),
        remove: fc.nat({ max: 3 }),
        insert: fc.uint8Array({ maxLength: 3 }),
    });
    const damaged = fc
        .tuple(fc.array(valid, { minLength: 1, maxLength: 3 }), fc.array(damage, { maxLength: 3 }))
        .map(([messages, damages]) => {
            const bytes = Array.from(Buffer.concat(messages));
            for (const { at, remove, insert } of damages) bytes.splice(at % (bytes.length + 1), remove, ...insert);
            return Uint8Array.from(bytes);
        });
    return fc.oneof({ arbitrary: fc.uint8Array({ maxLength: 64 }), weight: 1 }, { arbitrary: damaged, weight: 3 });
}

/** Cuts a stream into chunks of sizes taken from `cuts` (mostly small, sometimes empty, never unbounded in number). */
export function* chunkings(stream: Uint8Array, cuts: Iterable<number>): Iterable<Uint8Array> {
    let at = 0;
    for (const cut of cuts) {
        if (at >= stream.length) return;
        const size = cut % 16 === 0 ? cut % 2 : cut % 24;
        yield stream.subarray(at, at + size);
        at += size;
    }
}
