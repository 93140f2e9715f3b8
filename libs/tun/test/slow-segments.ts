// What a packet with an offload header stands for, in the slow and obvious way: whole copies, fields by their names, checksums from
// nothing.  RFC 791, RFC 8200, RFC 9293, RFC 768, and virtio 1.2 §5.1.6 for the header.
import {
    clampTcpMss,
    findUpperLayer,
    internetChecksum,
    ipPacketSize,
    ipv4Destination,
    ipv4HeaderSize,
    ipv4Source,
    ipVersion,
    PROTOCOL_TCP,
    PROTOCOL_UDP,
    pseudoHeaderSumIpv4,
    pseudoHeaderSumIpv6,
    upperLayerOffset,
    upperLayerProtocol,
} from "@postern/ip";
import { GSO, NEEDS_CHECKSUM, type OffloadHeader } from "./native-cases.ts";

/** Of an SSTP packet, less the SSTP and PPP headers. */
const LARGEST_FRAMED = 4_095 - 8;
const FIN = 0x01;
const PSH = 0x08;
const CWR = 0x80;

export const transportOf = (packet: Uint8Array): { readonly protocol: number; readonly offset: number } => {
    const found = findUpperLayer(packet, 0, ipPacketSize(packet, 0, packet.length));
    return { protocol: upperLayerProtocol(found), offset: upperLayerOffset(found) };
};

/** The sum of the pseudo-header of the packet's TCP or UDP, `size` bytes of it. */
export function pseudoHeaderSum(packet: Uint8Array, protocol: number, size: number): number {
    return ipVersion(packet, 0) === 4
        ? pseudoHeaderSumIpv4(ipv4Source(packet, 0), ipv4Destination(packet, 0), protocol, size)
        : pseudoHeaderSumIpv6(packet, 8, protocol, size);
}

export type Segments = "malformed" | "too-big" | readonly Uint8Array[];

/** The packets that go to a peer which takes `largest` bytes at most. */
export function slowSegments(offload: OffloadHeader, bytes: Uint8Array, largest: number): Segments {
    const version = bytes.length === 0 ? 0 : ipVersion(bytes, 0);
    const size = version === 4 || version === 6 ? ipPacketSize(bytes, 0, bytes.length) : 0;
    if (size === 0) return "malformed";
    const packet = Buffer.from(bytes.subarray(0, size));
    const limit = Math.min(largest, LARGEST_FRAMED);
    const gsoType = offload.gsoType & ~GSO.ecn;
    if (gsoType === GSO.none) return whole(offload, packet, largest, limit);
    const { protocol, offset } = transportOf(packet);
    const tcpType = version === 4 ? GSO.tcp4 : GSO.tcp6;
    const rest = packet.subarray(offset);
    let transportSize = 0;
    if (protocol === PROTOCOL_TCP && gsoType === tcpType && rest.length >= 20) {
        transportSize = (rest.readUInt8(12) >> 4) * 4;
        if (transportSize < 20) return "malformed";
    } else if (protocol === PROTOCOL_UDP && gsoType === GSO.udp && rest.length >= 8) transportSize = 8;
    if (transportSize === 0 || offload.segmentSize === 0 || rest.length <= transportSize) return "malformed";
    const headerSize = offset + transportSize;
    const payload = packet.subarray(headerSize);
    if (headerSize >= limit) return "too-big";
    const isWhole = headerSize + payload.length <= limit;
    if (protocol === PROTOCOL_UDP && headerSize + offload.segmentSize > limit && !isWhole) return "too-big";
    const step = Math.min(offload.segmentSize, limit - headerSize);
    const starts = Array.from({ length: Math.ceil(payload.length / step) }, (_, at) => at * step);
    return starts.map((start, index) => {
        const part = payload.subarray(start, start + step);
        const segment = Buffer.concat([packet.subarray(0, headerSize), part]);
        const isLast = index === starts.length - 1;
        if (version === 4) segment.writeUInt16BE((packet.readUInt16BE(4) + index) % 0x1_0000, 4);
        if (protocol === PROTOCOL_TCP) {
            segment.writeUInt32BE((packet.readUInt32BE(offset + 4) + start) % 2 ** 32, offset + 4);
            const cleared = (isLast ? 0 : FIN | PSH) | (index === 0 ? 0 : CWR);
            segment.writeUInt8(segment.readUInt8(offset + 13) & ~cleared, offset + 13);
        }
        return withSizesAndChecksums(segment, protocol, offset);
    });
}

function whole(offload: OffloadHeader, packet: Buffer, largest: number, limit: number): Segments {
    const { checksumStart, checksumOffset } = offload;
    const isPartial = (offload.flags & NEEDS_CHECKSUM) !== 0;
    const field = checksumStart + checksumOffset;
    if (isPartial && field + 2 > packet.length) return "malformed";
    if (packet.length > limit) return "too-big";
    const out = Buffer.from(packet);
    clampTcpMss(out, 0, out.length, largest);
    if (!isPartial) return [out];
    out.writeUInt16BE(packet.readUInt16BE(field), field);
    const checksum = internetChecksum(out, checksumStart, out.length - checksumStart);
    const isUdp = transportOf(packet).protocol === PROTOCOL_UDP;
    out.writeUInt16BE(checksum === 0 && isUdp ? 0xffff : checksum, field);
    return [out];
}

/** Fills in what depends on the packet's size and content. */
export function withSizesAndChecksums(packet: Buffer, protocol: number, offset: number): Buffer {
    const size = packet.length - offset;
    if (ipVersion(packet, 0) === 4) {
        packet.writeUInt16BE(packet.length, 2);
        packet.writeUInt16BE(0, 10);
        packet.writeUInt16BE(internetChecksum(packet, 0, ipv4HeaderSize(packet, 0)), 10);
    } else packet.writeUInt16BE(packet.length - 40, 4);
    if (protocol === PROTOCOL_UDP) packet.writeUInt16BE(size, offset + 4);
    const field = offset + (protocol === PROTOCOL_TCP ? 16 : 6);
    packet.writeUInt16BE(0, field);
    const checksum = internetChecksum(packet, offset, size, pseudoHeaderSum(packet, protocol, size));
    packet.writeUInt16BE(checksum === 0 && protocol === PROTOCOL_UDP ? 0xffff : checksum, field);
    return packet;
}
