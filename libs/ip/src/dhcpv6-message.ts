// DHCPv6 between client and server, RFC 8415 §8 and §21.1.
//   type:8 | transaction:24 | options, each  code:16 | length:16 | value
import { concatBytes, readU16, readU32, writeU16, writeU32 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";

const HEADER_SIZE = 4;
const OPTION_HEADER_SIZE = 4;
const TRANSACTIONS = 0x100_0000;
const LONGEST_VALUE = 0xffff;

export interface Dhcpv6Option {
    readonly code: number;
    readonly value: Uint8Array;
}

export interface Dhcpv6Message {
    readonly type: number;
    /** 24 bits, the client's choice. */
    readonly transaction: number;
    readonly options: readonly Dhcpv6Option[];
}

/** `undefined` where the bytes are none; values alias `bytes`. */
export function decodeDhcpv6(bytes: Uint8Array): Dhcpv6Message | undefined {
    if (bytes.length < HEADER_SIZE) return undefined;
    const options: Dhcpv6Option[] = [];
    for (let at = HEADER_SIZE, end: number; at < bytes.length; at = end) {
        if (bytes.length - at < OPTION_HEADER_SIZE) return undefined;
        end = at + OPTION_HEADER_SIZE + readU16(bytes, at + 2);
        if (end > bytes.length) return undefined;
        options.push({ code: readU16(bytes, at), value: bytes.subarray(at + OPTION_HEADER_SIZE, end) });
    }
    const first = readU32(bytes, 0);
    return { type: first >>> 24, transaction: first % TRANSACTIONS, options };
}

export function encodeDhcpv6({ type, transaction, options }: Dhcpv6Message): Uint8Array {
    const header = new Uint8Array(HEADER_SIZE);
    writeU32(header, 0, type * TRANSACTIONS + transaction);
    return concatBytes(header, ...options.map(encodeOption));
}

function encodeOption({ code, value }: Dhcpv6Option): Uint8Array {
    if (value.length > LONGEST_VALUE) throw new InvariantError(`DHCPv6 option of ${value.length} bytes`);
    const header = new Uint8Array(OPTION_HEADER_SIZE);
    writeU16(header, 0, code);
    writeU16(header, 2, value.length);
    return concatBytes(header, value);
}
