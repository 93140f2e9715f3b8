// UDP over IPv4, RFC 768.
//   IPv4 header | source port:16 | destination port:16 | length:16 (counts this header) | checksum:16 | data
import { readU16, writeU16 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { internetChecksum, pseudoHeaderSumIpv4 } from "./checksum.ts";
import { IPV4_HEADER_SIZE, IPV4_MAX_SIZE, PROTOCOL_UDP, UDP_HEADER_SIZE } from "./constants.ts";
import {
    ipv4Destination,
    ipv4HeaderSize,
    ipv4IsFragment,
    ipv4Protocol,
    ipv4Size,
    ipv4Source,
    writeIpv4Header,
} from "./ipv4-header.ts";

export interface UdpEndpoints {
    /** IPv4 addresses as unsigned 32-bit numbers. */
    readonly source: number;
    readonly sourcePort: number;
    readonly destination: number;
    readonly destinationPort: number;
}

/** One unfragmented IPv4 packet that carries `data`. */
export function udpPacket(endpoints: UdpEndpoints, data: Uint8Array): Uint8Array<ArrayBuffer> {
    const udpSize = UDP_HEADER_SIZE + data.length;
    const size = IPV4_HEADER_SIZE + udpSize;
    if (size > IPV4_MAX_SIZE) throw new InvariantError(`UDP datagram of ${data.length} bytes`);
    const { source, sourcePort, destination, destinationPort } = endpoints;
    const out = new Uint8Array(size);
    writeIpv4Header(out, 0, size, { protocol: PROTOCOL_UDP, source, destination });
    writeU16(out, IPV4_HEADER_SIZE, sourcePort);
    writeU16(out, IPV4_HEADER_SIZE + 2, destinationPort);
    writeU16(out, IPV4_HEADER_SIZE + 4, udpSize);
    out.set(data, IPV4_HEADER_SIZE + UDP_HEADER_SIZE);
    const pseudoHeader = pseudoHeaderSumIpv4(source, destination, PROTOCOL_UDP, udpSize);
    const checksum = internetChecksum(out, IPV4_HEADER_SIZE, udpSize, pseudoHeader);
    // A checksum of 0 would mean that there is none.
    writeU16(out, IPV4_HEADER_SIZE + 6, checksum === 0 ? 0xffff : checksum);
    return out;
}

/**
 * The data that the packet carries to `port`, or `undefined` where it carries none, is a fragment, is not as long as it says, or has a wrong
 * checksum (none is not wrong).  Aliases `packet`.
 */
export function udpData(packet: Uint8Array, port: number): Uint8Array | undefined {
    const size = ipv4Size(packet, 0, packet.length);
    if (size === 0 || ipv4Protocol(packet, 0) !== PROTOCOL_UDP || ipv4IsFragment(packet, 0)) return undefined;
    const at = ipv4HeaderSize(packet, 0);
    const udpSize = size - at;
    if (udpSize < UDP_HEADER_SIZE || readU16(packet, at + 4) !== udpSize || readU16(packet, at + 2) !== port) {
        return undefined;
    }
    const pseudoHeader = pseudoHeaderSumIpv4(ipv4Source(packet, 0), ipv4Destination(packet, 0), PROTOCOL_UDP, udpSize);
    const isSound = readU16(packet, at + 6) === 0 || internetChecksum(packet, at, udpSize, pseudoHeader) === 0;
    return isSound ? packet.subarray(at + UDP_HEADER_SIZE, size) : undefined;
}
