// TCP and UDP packets as hosts send them, every field of their own.
import { encodeIpv4, parseIpv4, parseIpv6, PROTOCOL_TCP, PROTOCOL_UDP } from "@postern/ip";
import { withSizesAndChecksums } from "./slow-segments.ts";

export interface Endpoints {
    readonly version: 4 | 6;
    readonly source: string;
    readonly destination: string;
    readonly ports: readonly [number, number];
}

export interface IpFields {
    readonly identification?: number;
    readonly dontFragment?: boolean;
    readonly timeToLive?: number;
    readonly trafficClass?: number;
    /** Words of IPv4 options, or IPv6 headers of destination options; what is in them changes with the identification. */
    readonly extra?: number;
}

export interface TcpFields {
    readonly sequence: number;
    readonly acknowledgement: number;
    readonly flags: number;
    readonly window: number;
    /** Padded to whole words. */
    readonly options: Uint8Array;
}

/** Destination options, authentication, fragment, routing, hop-by-hop. */
const EXTENSION_HEADERS = [60, 51, 44, 43, 0];

function extensionHeader(kind: number, next: number, identification: number): readonly number[] {
    const low = identification & 0xff;
    // RFC 4302 §2: length 1, in words and less 2; SPI, sequence number.
    if (kind === 51) return [next, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, low];
    // RFC 8200 §4.5: offset 0, the last fragment.
    if (kind === 44) return [next, 0, 0, 0, 0, 0, 0, low];
    // A routing header of an unknown type without segments left, or a PadN of 4.
    return kind === 43 ? [next, 0, 99, 0, 0, 0, 0, low] : [next, 0, 1, 4, 0, 0, 0, low];
}

function ipHeader(to: Endpoints, protocol: number, fields: IpFields): Buffer {
    const { identification = 1, dontFragment = true, timeToLive = 64, trafficClass = 0, extra = 0 } = fields;
    if (to.version === 4) {
        // Router alerts (RFC 2113).
        const options = Array.from({ length: extra }, () => [148, 4, 0, identification & 0xff]);
        const header = Buffer.concat([Buffer.alloc(20), Buffer.from(options.flat())]);
        header.set([0x45 + extra, trafficClass]);
        header.writeUInt16BE(identification, 4);
        header.set([dontFragment ? 0x40 : 0, 0, timeToLive, protocol], 6);
        header.set(encodeIpv4(parseIpv4(to.source)), 12);
        header.set(encodeIpv4(parseIpv4(to.destination)), 16);
        return header;
    }
    const header = Buffer.alloc(40);
    header.set([0x60 | (trafficClass >> 4), (trafficClass & 15) << 4, 0, 7]);
    header[7] = timeToLive;
    header.set(parseIpv6(to.source), 8);
    header.set(parseIpv6(to.destination), 24);
    const kindOf = (at: number): number =>
        at < extra ? (EXTENSION_HEADERS[at % EXTENSION_HEADERS.length] ?? 60) : protocol;
    header[6] = kindOf(0);
    const options = Array.from({ length: extra }, (_, at) =>
        extensionHeader(kindOf(at), kindOf(at + 1), identification),
    );
    return Buffer.concat([header, Buffer.from(options.flat())]);
}

export function tcpPacket(to: Endpoints, tcp: TcpFields, data: Uint8Array, fields: IpFields = {}): Buffer {
    const header = ipHeader(to, PROTOCOL_TCP, fields);
    const options = Buffer.concat([tcp.options, Buffer.alloc(-tcp.options.length & 3)]);
    const segment = Buffer.alloc(20);
    segment.writeUInt16BE(to.ports[0], 0);
    segment.writeUInt16BE(to.ports[1], 2);
    segment.writeUInt32BE(tcp.sequence >>> 0, 4);
    segment.writeUInt32BE(tcp.acknowledgement, 8);
    segment.set([((20 + options.length) / 4) << 4, tcp.flags], 12);
    segment.writeUInt16BE(tcp.window, 14);
    return withSizesAndChecksums(Buffer.concat([header, segment, options, data]), PROTOCOL_TCP, header.length);
}

export function datagramPacket(to: Endpoints, data: Uint8Array, fields: IpFields = {}): Buffer {
    const header = ipHeader(to, PROTOCOL_UDP, fields);
    const datagram = Buffer.alloc(8);
    datagram.writeUInt16BE(to.ports[0], 0);
    datagram.writeUInt16BE(to.ports[1], 2);
    return withSizesAndChecksums(Buffer.concat([header, datagram, data]), PROTOCOL_UDP, header.length);
}
