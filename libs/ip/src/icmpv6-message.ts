// An ICMPv6 message in a packet without extension headers, RFC 4443 §2.1 and §2.3.
//   IPv6 header:320 | type:8 | code:8 | checksum:16 (over a pseudo-header, too) | body
import { readU8, writeU16 } from "@postern/bytes";
import { internetChecksum, pseudoHeaderSumIpv6 } from "./checksum.ts";
import { IPV6_HEADER_SIZE, ON_LINK_HOP_LIMIT, PROTOCOL_ICMPV6 } from "./constants.ts";
import {
    IPV6_SOURCE_AT,
    type Ipv6Fields,
    ipv6HopLimit,
    ipv6NextHeader,
    ipv6Size,
    writeIpv6Header,
} from "./ipv6-header.ts";

const CODE_AT = 1;
const CHECKSUM_AT = 2;

/** The packet that carries `message`, from its type on, whose checksum is filled in. */
export function icmpv6Packet(fields: Omit<Ipv6Fields, "nextHeader">, message: Uint8Array): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(IPV6_HEADER_SIZE + message.length);
    writeIpv6Header(out, 0, out.length, { ...fields, nextHeader: PROTOCOL_ICMPV6 });
    out.set(message, IPV6_HEADER_SIZE);
    writeU16(out, IPV6_HEADER_SIZE + CHECKSUM_AT, 0);
    writeU16(out, IPV6_HEADER_SIZE + CHECKSUM_AT, checksum(out));
    return out;
}

/**
 * The ICMPv6 message that the packet carries, from its type on, or `undefined` where it carries none of at least `smallest` bytes
 * behind the fixed header, or one with a wrong checksum.  Aliases `packet`.
 */
export function icmpv6Message(packet: Uint8Array, smallest: number): Uint8Array | undefined {
    const size = ipv6Size(packet, 0, packet.length);
    if (size < IPV6_HEADER_SIZE + smallest || ipv6NextHeader(packet, 0) !== PROTOCOL_ICMPV6) return undefined;
    return checksum(packet.subarray(0, size)) === 0 ? packet.subarray(IPV6_HEADER_SIZE, size) : undefined;
}

/** `icmpv6Packet` to a neighbour: with the hop limit that shows that it is from one. */
export function neighborPacket(
    source: Uint8Array,
    destination: Uint8Array,
    message: Uint8Array,
): Uint8Array<ArrayBuffer> {
    return icmpv6Packet({ source, destination, hopLimit: ON_LINK_HOP_LIMIT }, message);
}

/**
 * `icmpv6Message` of this type, or `undefined`: RFC 4861 §6.1 discards in silence what has another hop limit than 255,
 * another code than 0, a wrong checksum, or less than `smallest` bytes.  Aliases `packet`.
 */
export function neighborMessage(packet: Uint8Array, type: number, smallest: number): Uint8Array | undefined {
    const message = icmpv6Message(packet, smallest);
    if (message === undefined || ipv6HopLimit(packet, 0) !== ON_LINK_HOP_LIMIT) return undefined;
    return readU8(message, 0) === type && readU8(message, CODE_AT) === 0 ? message : undefined;
}

/** Of a whole packet; 0 where the checksum in it is right. */
function checksum(packet: Uint8Array): number {
    const size = packet.length - IPV6_HEADER_SIZE;
    const pseudoHeader = pseudoHeaderSumIpv6(packet, IPV6_SOURCE_AT, PROTOCOL_ICMPV6, size);
    return internetChecksum(packet, IPV6_HEADER_SIZE, size, pseudoHeader);
}
