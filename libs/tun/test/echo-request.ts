// Pings that a client of the tunnel sends, laid out as `TunDevice.write` takes them.
import { encodeIpv4, internetChecksum, parseIpv4, pseudoHeaderSumIpv6, parseIpv6 } from "@postern/ip";

export interface Outgoing {
    readonly bytes: Uint8Array;
    readonly pairs: Uint32Array;
    readonly count: number;
}

/** An ICMP echo request of 28 bytes plus `data` bytes, number `sequence`. */
export function echoRequest(source: string, destination: string, sequence: number, data = 4): Uint8Array {
    const packet = Buffer.alloc(28 + data);
    packet[0] = 0x45;
    packet.writeUInt16BE(packet.length, 2);
    packet[8] = 64;
    packet[9] = 1;
    packet.set(encodeIpv4(parseIpv4(source)), 12);
    packet.set(encodeIpv4(parseIpv4(destination)), 16);
    packet.writeUInt16BE(internetChecksum(packet, 0, 20), 10);
    packet[20] = 8;
    packet.writeUInt16BE(sequence & 0xffff, 26);
    packet.writeUInt16BE(internetChecksum(packet, 20, packet.length - 20), 22);
    return packet;
}

/** The same with ICMPv6. */
export function echoRequestIpv6(source: string, destination: string, sequence: number): Uint8Array {
    const packet = Buffer.alloc(48);
    packet[0] = 0x60;
    packet.writeUInt16BE(8, 4);
    packet[6] = 58;
    packet[7] = 64;
    packet.set(parseIpv6(source), 8);
    packet.set(parseIpv6(destination), 24);
    packet[40] = 128;
    packet.writeUInt16BE(sequence, 46);
    packet.writeUInt16BE(internetChecksum(packet, 40, 8, pseudoHeaderSumIpv6(packet, 8, 58, 8)), 42);
    return packet;
}

/** The sequence number of an echo request or reply without IP options. */
export function sequenceOf(packet: Uint8Array): number {
    const at = (packet[0] ?? 0) >> 4 === 4 ? 26 : 46;
    return Buffer.from(packet).readUInt16BE(at);
}

/** Puts packets one after the other, with a gap between them as headers would leave. */
export function outgoing(packets: readonly Uint8Array[]): Outgoing {
    const gap = 3;
    const bytes = Buffer.alloc(packets.reduce((size, packet) => size + gap + packet.length, 0));
    const pairs = new Uint32Array(packets.length * 2);
    let at = 0;
    for (const [number, packet] of packets.entries()) {
        bytes.set(packet, at + gap);
        pairs.set([at + gap, packet.length], number * 2);
        at += gap + packet.length;
    }
    return { bytes, pairs, count: packets.length };
}
