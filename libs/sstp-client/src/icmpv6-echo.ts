// ICMPv6 echo, RFC 4443 §4.1 and §4.2, RFC 8200 §3.
//   IPv6 header:320 | type:8 = 128 or 129 | code:8 = 0 | checksum:16 | identifier:16 | sequence number:16 | data
import { readU16, writeU16 } from "@postern/bytes";
import {
    internetChecksum,
    IPV6_SOURCE_AT,
    ipv6NextHeader,
    ipv6Size,
    PROTOCOL_ICMPV6,
    pseudoHeaderSumIpv6,
} from "@postern/ip";
import type { EchoRequest } from "./icmp-echo.ts";

const IP_HEADER_SIZE = 40;
const ICMP_HEADER_SIZE = 8;
const ECHO_REQUEST = 128;
const ECHO_REPLY = 129;
const HOP_LIMIT = 64;

/** Addresses are 16 octets each. */
export type Ipv6EchoRequest = Omit<EchoRequest, "source" | "destination"> & {
    readonly source: Uint8Array;
    readonly destination: Uint8Array;
};

/** A whole IPv6 packet with an echo request; its data counts up, as that of `ping`. */
export function encodeIpv6EchoRequest(request: Ipv6EchoRequest): Uint8Array<ArrayBuffer> {
    const messageSize = ICMP_HEADER_SIZE + request.dataSize;
    const packet = new Uint8Array(IP_HEADER_SIZE + messageSize);
    packet[0] = 0x60;
    writeU16(packet, 4, messageSize);
    packet[6] = PROTOCOL_ICMPV6;
    packet[7] = HOP_LIMIT;
    packet.set(request.source, IPV6_SOURCE_AT);
    packet.set(request.destination, IPV6_SOURCE_AT + request.source.length);
    packet[IP_HEADER_SIZE] = ECHO_REQUEST;
    writeU16(packet, IP_HEADER_SIZE + 4, request.identifier);
    writeU16(packet, IP_HEADER_SIZE + 6, request.sequence);
    for (let at = 0; at < request.dataSize; at += 1) packet[IP_HEADER_SIZE + ICMP_HEADER_SIZE + at] = at;
    writeU16(packet, IP_HEADER_SIZE + 2, checksumOf(packet, messageSize));
    return packet;
}

/** Identifier and sequence number of an echo reply with a correct checksum; `undefined` for any other packet. */
export function decodeIpv6EchoReply(
    packet: Uint8Array,
): { readonly identifier: number; readonly sequence: number } | undefined {
    const size = ipv6Size(packet, 0, packet.length);
    if (size < IP_HEADER_SIZE + ICMP_HEADER_SIZE || ipv6NextHeader(packet, 0) !== PROTOCOL_ICMPV6) return undefined;
    if (packet[IP_HEADER_SIZE] !== ECHO_REPLY || checksumOf(packet, size - IP_HEADER_SIZE) !== 0) return undefined;
    return { identifier: readU16(packet, IP_HEADER_SIZE + 4), sequence: readU16(packet, IP_HEADER_SIZE + 6) };
}

/** 0 where the checksum in the packet is right. */
function checksumOf(packet: Uint8Array, messageSize: number): number {
    const pseudoHeader = pseudoHeaderSumIpv6(packet, IPV6_SOURCE_AT, PROTOCOL_ICMPV6, messageSize);
    return internetChecksum(packet, IP_HEADER_SIZE, messageSize, pseudoHeader);
}
