// Data of a Response of type Nak, RFC 3748 §5.3.1: the methods that the peer would rather use, one octet each; a zero says none.

/** The wanted methods, in the peer's order. */
export const decodeNak = (data: Uint8Array): readonly number[] => [...data].filter((type) => type !== 0);

export const encodeNak = (types: readonly number[]): Uint8Array => Uint8Array.from(types.length === 0 ? [0] : types);
