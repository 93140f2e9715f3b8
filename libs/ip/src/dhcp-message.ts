// DHCP over IPv4, RFC 2131 §2 and RFC 2132 §2.
//   op:8 | htype:8 | hlen:8 | hops:8 | xid:32 | secs:16 | flags:16 | ciaddr:32 | yiaddr:32 | siaddr:32 | giaddr:32 | chaddr:128
//   | sname:512 | file:1024 | magic:32 | options, each  code:8 | length:8 | value;  0 is padding, 255 the end
// Values longer than 255 bytes are cut into several options of their code, RFC 3396 §7.
import { concatBytes, readU32, readU8, writeU32 } from "@postern/bytes";

const HTYPE_AT = 1;
const HLEN_AT = 2;
const XID_AT = 4;
const CIADDR_AT = 12;
const CHADDR_AT = 28;
const CHADDR_SIZE = 16;
const MAGIC_AT = 236;
const MAGIC = 0x63825363;
const OPTIONS_AT = 240;

const OPTION_PAD = 0;
const OPTION_END = 255;
const LONGEST_VALUE = 255;

export const DHCP_OP = { request: 1, reply: 2 } as const;

export interface DhcpMessage {
    /** One of `DHCP_OP`. */
    readonly op: number;
    /** Type and length of the hardware address; Windows says 8 and 0 over PPP. */
    readonly htype: number;
    readonly hlen: number;
    readonly xid: number;
    /** The client's address, where it has one, as an unsigned 32-bit number. */
    readonly ciaddr: number;
    /** 16 bytes. */
    readonly chaddr: Uint8Array;
    /** By code; a value that came in several options is whole. */
    readonly options: ReadonlyMap<number, Uint8Array>;
}

/** `undefined` where the bytes are none; options in the fields for names (RFC 2132 §9.3) are not read. */
export function decodeDhcp(bytes: Uint8Array): DhcpMessage | undefined {
    if (bytes.length < OPTIONS_AT || readU32(bytes, MAGIC_AT) !== MAGIC) return undefined;
    const options = readOptions(bytes);
    if (options === undefined) return undefined;
    return {
        op: readU8(bytes, 0),
        htype: readU8(bytes, HTYPE_AT),
        hlen: readU8(bytes, HLEN_AT),
        xid: readU32(bytes, XID_AT),
        ciaddr: readU32(bytes, CIADDR_AT),
        chaddr: bytes.slice(CHADDR_AT, CHADDR_AT + CHADDR_SIZE),
        options,
    };
}

/** `undefined` where an option goes beyond the end. */
function readOptions(bytes: Uint8Array): Map<number, Uint8Array> | undefined {
    const options = new Map<number, Uint8Array>();
    for (let at = OPTIONS_AT; at < bytes.length;) {
        const code = readU8(bytes, at);
        if (code === OPTION_END) break;
        at += 1;
        if (code === OPTION_PAD) continue;
        if (at === bytes.length) return undefined;
        const end = at + 1 + readU8(bytes, at);
        if (end > bytes.length) return undefined;
        const before = options.get(code) ?? new Uint8Array(0);
        options.set(code, concatBytes(before, bytes.subarray(at + 1, end)));
        at = end;
    }
    return options;
}

/** Options in their order, and the end. */
export function encodeDhcp({ op, htype, hlen, xid, ciaddr, chaddr, options }: DhcpMessage): Uint8Array {
    const header = new Uint8Array(OPTIONS_AT);
    header[0] = op;
    header[HTYPE_AT] = htype;
    header[HLEN_AT] = hlen;
    writeU32(header, XID_AT, xid);
    writeU32(header, CIADDR_AT, ciaddr);
    header.set(chaddr.subarray(0, CHADDR_SIZE), CHADDR_AT);
    writeU32(header, MAGIC_AT, MAGIC);
    const written = [...options].flatMap(([code, value]) => encodeOption(code, value));
    return concatBytes(header, ...written, Uint8Array.of(OPTION_END));
}

function encodeOption(code: number, value: Uint8Array): readonly Uint8Array[] {
    const pieces = Math.max(1, Math.ceil(value.length / LONGEST_VALUE));
    return Array.from({ length: pieces }, (_, index) => {
        const piece = value.subarray(index * LONGEST_VALUE, (index + 1) * LONGEST_VALUE);
        return concatBytes(Uint8Array.of(code, piece.length), piece);
    });
}
