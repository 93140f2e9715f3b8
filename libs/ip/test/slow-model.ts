// Packets taken apart and checked in the slow and obviously right way that the fast code is compared with.

/** RFC 1071 by the book: 16-bit words, end-around carry, complement. */
export function slowChecksum(...parts: readonly Uint8Array[]): number {
    const bytes = Buffer.concat(
        parts.map((part) => (part.length % 2 === 0 ? part : Buffer.concat([part, Buffer.of(0)]))),
    );
    let sum = 0n;
    for (let at = 0; at < bytes.length; at += 2) sum += BigInt(bytes.readUInt16BE(at));
    while (sum > 0xffffn) sum = (sum & 0xffffn) + (sum >> 16n);
    return Number(~sum & 0xffffn);
}

export interface SlowPacket {
    readonly version: 4 | 6;
    readonly source: Buffer;
    readonly destination: Buffer;
    /** The first protocol number that is not an extension header. */
    readonly protocol: number;
    /** Absent in every fragment but the first, and where a header is cut short. */
    readonly payload: Buffer | undefined;
}

/** The packet, or `undefined` where the bytes are not a whole one. */
export function slowParse(bytes: Uint8Array): SlowPacket | undefined {
    const packet = Buffer.from(bytes);
    const version = (packet[0] ?? 0) >> 4;
    if (version === 4) return slowParseIpv4(packet);
    return version === 6 ? slowParseIpv6(packet) : undefined;
}

function slowParseIpv4(packet: Buffer): SlowPacket | undefined {
    if (packet.length < 20) return undefined;
    const headerSize = (packet.readUInt8(0) & 15) * 4;
    const size = packet.readUInt16BE(2);
    if (headerSize < 20 || size < headerSize || packet.length < size) return undefined;
    const isFirst = packet.readUInt16BE(6) % 0x2000 === 0;
    return {
        version: 4,
        source: packet.subarray(12, 16),
        destination: packet.subarray(16, 20),
        protocol: packet.readUInt8(9),
        payload: isFirst ? packet.subarray(headerSize, size) : undefined,
    };
}

function slowParseIpv6(packet: Buffer): SlowPacket | undefined {
    if (packet.length < 40) return undefined;
    const size = 40 + packet.readUInt16BE(4);
    if (packet.length < size) return undefined;
    let protocol = packet.readUInt8(6);
    let payload: Buffer | undefined = packet.subarray(40, size);
    for (let headers = 0; payload !== undefined && [0, 43, 44, 51, 60].includes(protocol); headers += 1) {
        if (headers === 8 || payload.length < 8) payload = undefined;
        else {
            const length: number = payload.readUInt8(1);
            const headerSize = protocol === 44 ? 8 : protocol === 51 ? (length + 2) * 4 : (length + 1) * 8;
            const isLaterFragment: boolean = protocol === 44 && payload.readUInt16BE(2) >= 8;
            protocol = payload.readUInt8(0);
            payload = isLaterFragment || payload.length < headerSize ? undefined : payload.subarray(headerSize);
        }
    }
    return { version: 6, source: packet.subarray(8, 24), destination: packet.subarray(24, 40), protocol, payload };
}

/** What the checksum field of TCP, UDP, ICMP or ICMPv6 has to bring the sum to: 0 where it is right. */
export function transportChecksumResidue(packet: SlowPacket): number {
    const payload = packet.payload ?? Buffer.alloc(0);
    if (packet.protocol === 1) return slowChecksum(payload);
    const tail = Buffer.alloc(8);
    tail.writeUInt32BE(payload.length, 0);
    tail.writeUInt32BE(packet.protocol, 4);
    return slowChecksum(packet.source, packet.destination, tail, payload);
}
