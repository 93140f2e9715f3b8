// LCP Identification, RFC 1570 §2.1, as Windows uses it.  Three packets after LCP has opened:
//   magic:32 | "MSRASV5.20"     version of the client
//   magic:32 | "MSRAS-0-NAME"   name of the computer
//   magic:32 | 16 bytes         the SSTP correlation identifier, a GUID in its mixed byte order
import { decodeLatin1, toHex } from "@postern/bytes";

/** What the peer said about itself: unverified, for the audit record only. */
export interface Identification {
    readonly version?: string;
    readonly computer?: string;
    /** Lower case with hyphens. */
    readonly correlationId?: string;
}

const COMPUTER = /^MSRAS-\d+-(?<name>[\x21-\x7e]{1,255})$/;
const VERSION = /^MSRASV[\x21-\x7e]{1,32}$/;
const GUID_SIZE = 16;

/** `known` with what `message` (the packet's data after the magic number) adds; unknown messages add nothing. */
export function withIdentification(known: Identification, message: Uint8Array): Identification {
    const text = decodeLatin1(message);
    if (VERSION.test(text)) return { ...known, version: text };
    const computer = COMPUTER.exec(text)?.groups?.["name"];
    if (computer !== undefined) return { ...known, computer };
    if (message.length === GUID_SIZE) return { ...known, correlationId: formatGuid(message) };
    return known;
}

// The first three fields are little-endian, [MS-DTYP] 2.3.4.2.
function formatGuid(bytes: Uint8Array): string {
    const reversed = (from: number, to: number): string => toHex(bytes.slice(from, to).reverse());
    return [
        reversed(0, 4),
        reversed(4, 6),
        reversed(6, 8),
        toHex(bytes.subarray(8, 10)),
        toHex(bytes.subarray(10, 16)),
    ].join("-");
}
