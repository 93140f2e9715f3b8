// What RADIUS is protected with; the caller has it from its platform.

export interface RadiusDigests {
    /** MD5 of all parts in order, 16 bytes. */
    readonly md5: (...parts: readonly Uint8Array[]) => Uint8Array;
    /** HMAC-MD5 (RFC 2104), 16 bytes. */
    readonly hmacMd5: (key: Uint8Array, data: Uint8Array) => Uint8Array;
}
