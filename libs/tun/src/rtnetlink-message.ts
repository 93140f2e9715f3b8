// rtnetlink messages, rtnetlink(7) and linux/netlink.h; numbers are in the byte order of the host, which is little-endian
// on every platform that Node is published for and that has TUN devices.
//   length:32 | type:16 | flags:16 | sequence:32 | port:32 | header of the type | attributes
//   attribute: length:16 (without padding) | type:16 | value | padding to 4 bytes
import { NLM_F_ACK, NLM_F_REQUEST } from "./constants.ts";

const HEADER_SIZE = 16;
const ATTRIBUTE_HEADER_SIZE = 4;

const align = (size: number): number => Math.ceil(size / 4) * 4;

/** An attribute with the bytes of `value`. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
    const out = Buffer.alloc(align(ATTRIBUTE_HEADER_SIZE + value.length));
    out.writeUInt16LE(ATTRIBUTE_HEADER_SIZE + value.length, 0);
    out.writeUInt16LE(type, 2);
    out.set(value, ATTRIBUTE_HEADER_SIZE);
    return out;
}

/** An attribute that holds one 32-bit number. */
export function attributeU32(type: number, value: number): Uint8Array {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value, 0);
    return attribute(type, bytes);
}

/** A request of which the kernel is asked for an acknowledgement. */
export function encodeRequest(
    type: number,
    flags: number,
    header: Uint8Array,
    attributes: readonly Uint8Array[],
): Uint8Array {
    const body = Buffer.concat([header, ...attributes]);
    const out = Buffer.alloc(HEADER_SIZE + body.length);
    out.writeUInt32LE(out.length, 0);
    out.writeUInt16LE(type, 4);
    out.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK | flags, 6);
    out.set(body, HEADER_SIZE);
    return out;
}

/** struct ifinfomsg: family:8 | pad:8 | type:16 | index:32 | flags:32 | change:32. */
export function linkHeader(family: number, index: number, flags: number, change: number): Uint8Array {
    const out = Buffer.alloc(16);
    out[0] = family;
    out.writeInt32LE(index, 4);
    out.writeUInt32LE(flags, 8);
    out.writeUInt32LE(change, 12);
    return out;
}

/** struct ifaddrmsg: family:8 | prefix length:8 | flags:8 | scope:8 | index:32. */
export function addressHeader(family: number, prefixLength: number, flags: number, index: number): Uint8Array {
    const out = Buffer.alloc(8);
    out[0] = family;
    out[1] = prefixLength;
    out[2] = flags;
    out.writeUInt32LE(index, 4);
    return out;
}

export interface RouteFields {
    readonly family: number;
    readonly prefixLength: number;
    readonly table: number;
    readonly protocol: number;
    readonly scope: number;
    readonly type: number;
}

/** struct rtmsg: family:8 | destination length:8 | source length:8 | tos:8 | table:8 | protocol:8 | scope:8 | type:8 | flags:32. */
export function routeHeader(fields: RouteFields): Uint8Array {
    const { family, prefixLength, table, protocol, scope, type } = fields;
    return Uint8Array.of(family, prefixLength, 0, 0, table, protocol, scope, type, 0, 0, 0, 0);
}
