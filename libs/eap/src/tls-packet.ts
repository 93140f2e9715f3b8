// EAP-TLS, RFC 5216 §3.1 and §3.2, and PEAP, which has a version in the last bits ([MS-PEAP] 2.2.2): data of their packets.
//   L:1 M:1 S:1 reserved:2 version:3 | if L: size of the whole message:32 | a fragment of it
import { concatBytes, readU32, readU8, writeU32 } from "@postern/bytes";
import { EapError } from "./errors.ts";

const FLAG = { length: 0x80, more: 0x40, start: 0x20 } as const;
const VERSION_MASK = 0x07;
const LENGTH_SIZE = 4;

export interface EapTlsData {
    /** The server's first packet. */
    readonly start: boolean;
    /** Further fragments follow, when this one has been acknowledged with an empty packet. */
    readonly more: boolean;
    /** Of PEAP; 0 in EAP-TLS. */
    readonly version: number;
    /** What the sender says of the size of all fragments together, if it does. */
    readonly size?: number;
    /** Aliases the input: copy it to keep it. */
    readonly fragment: Uint8Array;
}

export function decodeEapTls(data: Uint8Array): EapTlsData {
    if (data.length === 0) throw new EapError("EAP_BAD_METHOD", "EAP-TLS without flags");
    const flags = readU8(data, 0);
    const hasSize = (flags & FLAG.length) !== 0;
    const at = hasSize ? 1 + LENGTH_SIZE : 1;
    if (data.length < at) throw new EapError("EAP_BAD_METHOD", `an EAP-TLS length in ${data.length} bytes`);
    return {
        start: (flags & FLAG.start) !== 0,
        more: (flags & FLAG.more) !== 0,
        version: flags & VERSION_MASK,
        ...(hasSize ? { size: readU32(data, 1) } : {}),
        fragment: data.subarray(at),
    };
}

export function encodeEapTls({ start, more, version, size, fragment }: EapTlsData): Uint8Array {
    const flags = (start ? FLAG.start : 0) | (more ? FLAG.more : 0) | (size === undefined ? 0 : FLAG.length) | version;
    const length = new Uint8Array(size === undefined ? 0 : LENGTH_SIZE);
    if (size !== undefined) writeU32(length, 0, size);
    return concatBytes(Uint8Array.of(flags), length, fragment);
}
