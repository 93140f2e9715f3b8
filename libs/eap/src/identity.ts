// Data of a Response of type Identity, RFC 3748 §5.1: the name; options may follow behind a NUL.
const NUL = 0;

/** The octets of the name that the peer claims, which nobody has verified. */
export function decodeIdentity(data: Uint8Array): Uint8Array {
    const end = data.indexOf(NUL);
    return data.slice(0, end < 0 ? data.length : end);
}
