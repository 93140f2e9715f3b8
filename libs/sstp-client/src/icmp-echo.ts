// ICMP echo over IPv4, RFC 792, RFC 791 §3.1.
//   IP header:160 | type:8 = 8 or 0 | code:8 = 0 | checksum:16 | identifier:16 | sequence number:16 | data
import { readU16, writeU16, writeU32 } from "@postern/bytes";
import {
    internetChecksum,
    ipv4HeaderSize,
    ipv4IsFragment,
    ipv4Protocol,
    ipv4Size,
    ipVersion,
    PROTOCOL_ICMP,
} from "@postern/ip";

const IP_HEADER_SIZE = 20;
const ICMP_HEADER_SIZE = 8;
const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;
const TIME_TO_LIVE = 64;

export interface EchoRequest {
    /** Addresses as unsigned 32-bit numbers. */
    readonly source: number;
    readonly destination: number;
    readonly identifier: number;
    readonly sequence: number;
    /** Octets of data. */
    readonly dataSize: number;
}

/** A whole IPv4 packet with an echo request; its data counts up, as that of `ping`. */
export function encodeEchoRequest(request: EchoRequest): Uint8Array<ArrayBuffer> {
    const size = IP_HEADER_SIZE + ICMP_HEADER_SIZE + request.dataSize;
    const packet = new Uint8Array(size);
    packet[0] = 0x45;
    writeU16(packet, 2, size);
    packet[8] = TIME_TO_LIVE;
    packet[9] = PROTOCOL_ICMP;
    writeU32(packet, 12, request.source);
    writeU32(packet, 16, request.destination);
    writeU16(packet, 10, internetChecksum(packet, 0, IP_HEADER_SIZE));
    packet[IP_HEADER_SIZE] = ECHO_REQUEST;
    writeU16(packet, IP_HEADER_SIZE + 4, request.identifier);
    writeU16(packet, IP_HEADER_SIZE + 6, request.sequence);
    for (let at = 0; at < request.dataSize; at += 1) packet[IP_HEADER_SIZE + ICMP_HEADER_SIZE + at] = at;
    writeU16(packet, IP_HEADER_SIZE + 2, internetChecksum(packet, IP_HEADER_SIZE, size - IP_HEADER_SIZE));
    return packet;
}

/** Identifier and sequence number of an echo reply with a correct checksum; `undefined` for any other packet. */
export function decodeEchoReply(
    packet: Uint8Array,
): { readonly identifier: number; readonly sequence: number } | undefined {
    if (packet.length === 0 || ipVersion(packet, 0) !== 4) return undefined;
    const size = ipv4Size(packet, 0, packet.length);
    if (size === 0 || ipv4IsFragment(packet, 0) || ipv4Protocol(packet, 0) !== PROTOCOL_ICMP) return undefined;
    const at = ipv4HeaderSize(packet, 0);
    if (size < at + ICMP_HEADER_SIZE || packet[at] !== ECHO_REPLY) return undefined;
    if (internetChecksum(packet, at, size - at) !== 0) return undefined;
    return { identifier: readU16(packet, at + 4), sequence: readU16(packet, at + 6) };
}
