// UDP over IPv6 in a packet without extension headers, RFC 768 and RFC 8200 §8.1: the checksum is not optional there.
//   IPv6 header | source port:16 | destination port:16 | length:16 (counts this header) | checksum:16 | data
import { readU16, writeU16 } from "@postern/bytes";
import { internetChecksum, pseudoHeaderSumIpv6 } from "./checksum.ts";
import { IPV6_HEADER_SIZE, PROTOCOL_UDP, UDP_HEADER_SIZE } from "./constants.ts";
import { IPV6_SOURCE_AT, ipv6NextHeader, ipv6Size, writeIpv6Header } from "./ipv6-header.ts";

const DATA_AT = IPV6_HEADER_SIZE + UDP_HEADER_SIZE;
const DESTINATION_PORT_AT = IPV6_HEADER_SIZE + 2;
const LENGTH_AT = IPV6_HEADER_SIZE + 4;
const CHECKSUM_AT = IPV6_HEADER_SIZE + 6;

export interface UdpIpv6Endpoints {
    /** IPv6 addresses, 16 bytes each. */
    readonly source: Uint8Array;
    readonly sourcePort: number;
    readonly destination: Uint8Array;
    readonly destinationPort: number;
}

/** One packet that carries `data`. */
export function udpIpv6Packet(endpoints: UdpIpv6Endpoints, data: Uint8Array): Uint8Array<ArrayBuffer> {
    const { source, sourcePort, destination, destinationPort } = endpoints;
    const out = new Uint8Array(DATA_AT + data.length);
    writeIpv6Header(out, 0, out.length, { nextHeader: PROTOCOL_UDP, source, destination });
    writeU16(out, IPV6_HEADER_SIZE, sourcePort);
    writeU16(out, DESTINATION_PORT_AT, destinationPort);
    writeU16(out, LENGTH_AT, UDP_HEADER_SIZE + data.length);
    out.set(data, DATA_AT);
    const sum = checksum(out);
    // A checksum of 0 would mean that there is none.
    writeU16(out, CHECKSUM_AT, sum === 0 ? 0xffff : sum);
    return out;
}

/**
 * The data that the packet carries to `port`, or `undefined` where it carries none, is not as long as it says, or has a wrong checksum.
 * Aliases `packet`.
 */
export function udpIpv6Data(packet: Uint8Array, port: number): Uint8Array | undefined {
    const size = ipv6Size(packet, 0, packet.length);
    if (size < DATA_AT || ipv6NextHeader(packet, 0) !== PROTOCOL_UDP) return undefined;
    const isSound = readU16(packet, LENGTH_AT) === size - IPV6_HEADER_SIZE && readU16(packet, CHECKSUM_AT) !== 0;
    if (!isSound || readU16(packet, DESTINATION_PORT_AT) !== port || checksum(packet.subarray(0, size)) !== 0) {
        return undefined;
    }
    return packet.subarray(DATA_AT, size);
}

/** Of a whole packet; 0 where the checksum in it is right. */
function checksum(packet: Uint8Array): number {
    const size = packet.length - IPV6_HEADER_SIZE;
    const pseudoHeader = pseudoHeaderSumIpv6(packet, IPV6_SOURCE_AT, PROTOCOL_UDP, size);
    return internetChecksum(packet, IPV6_HEADER_SIZE, size, pseudoHeader);
}
