// What MS-CHAPv2 (RFC 2759 §8) needs beside MD4, and CHAP (RFC 1994 §3).

/** Hashes and ciphers that the platform has and the language has not. */
export interface Digests {
    /** SHA-1, 20 bytes. */
    readonly sha1: (data: Uint8Array) => Uint8Array;
    /** Single DES of one 8-byte block under an 8-byte key (parity bits ignored), no padding. */
    readonly desEncrypt: (key: Uint8Array, block: Uint8Array) => Uint8Array;
}

export interface ChapDigests {
    /** MD5, 16 bytes. */
    readonly md5: (data: Uint8Array) => Uint8Array;
}
