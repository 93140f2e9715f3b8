/** What a client of the bare TLS server wants: its first octet. */
export const MODE = { upload: 0x75, download: 0x64 } as const;
/** Octets of each write: the largest TLS record. */
export const WRITE_SIZE = 16_384;
/** Octets that may wait in the stream before its writer does. */
export const IN_FLIGHT = 16 * WRITE_SIZE;
