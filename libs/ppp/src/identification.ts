// LCP Identification, RFC 1570 §2.1, as Windows uses it.  Three packets after LCP has opened:
//   magic:32 | "MSRASV5.20"     version of the client
//   magic:32 | "MSRAS-0-NAME"   name of the computer
//   magic:32 | 16 bytes         the SSTP correlation identifier, a GUID in its mixed byte order
import { concatBytes, decodeLatin1, encodeLatin1, fromHex, toHex } from "@postern/bytes";

/** What the peer said about itself: unverified, for the audit record only. */
export interface Identification {
    readonly version?: string;
    readonly computer?: string;
    /** Lower case with hyphens, as in the HTTP header. */
    readonly correlationId?: string;
}

const COMPUTER_PREFIX = "MSRAS-0-";
const COMPUTER = /^MSRAS-\d+-(?<name>[\x21-\x7e]{1,255})$/;
const VERSION = /^MSRASV[\x21-\x7e]{1,32}$/;
const GUID_SIZE = 16;

/** `known` with what `message` (the packet's data after the magic number) adds; unknown messages add nothing. */
export function withIdentification(known: Identification, message: Uint8Array): Identification {
    const text = decodeLatin1(message);
    if (VERSION.test(text)) return { ...known, version: text };
    const computer = COMPUTER.exec(text)?.groups?.["name"];
    if (computer !== undefined) return { ...known, computer };
    if (message.length === GUID_SIZE) return { ...known, correlationId: guidToText(message) };
    return known;
}

/** The messages that say `identification`, in the order of Windows. */
export function identificationMessages(identification: Identification): readonly Uint8Array[] {
    const { version, computer, correlationId } = identification;
    return [
        ...(version === undefined ? [] : [encodeLatin1(version)]),
        ...(computer === undefined ? [] : [encodeLatin1(COMPUTER_PREFIX + computer)]),
        ...(correlationId === undefined ? [] : [guidFromText(correlationId)]),
    ];
}

// The first three fields are little-endian, [MS-DTYP] 2.3.4.2.
function guidToText(bytes: Uint8Array): string {
    const fields = [...littleEndian(bytes), bytes.subarray(8, 10), bytes.subarray(10, GUID_SIZE)];
    return fields.map((field) => toHex(field)).join("-");
}

function guidFromText(text: string): Uint8Array {
    const bytes = fromHex(text.replaceAll("-", ""));
    return concatBytes(...littleEndian(bytes), bytes.subarray(8));
}

const littleEndian = (bytes: Uint8Array): readonly Uint8Array[] =>
    [bytes.subarray(0, 4), bytes.subarray(4, 6), bytes.subarray(6, 8)].map((field) => field.toReversed());
