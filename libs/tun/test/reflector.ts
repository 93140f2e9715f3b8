// A peer that sends everything back with source and destination addresses exchanged, which leaves every checksum right: who
// connects to an address behind the device is connected to a listener of this host, and both ends are the kernel's.
import assert from "node:assert/strict";
import { ipv4HeaderSize, onesComplementSum, PROTOCOL_TCP, PROTOCOL_UDP } from "@postern/ip";
import { encodeFrame, PROTOCOL } from "@postern/ppp";
import { encodeDataPacket } from "@postern/sstp";
import type { TunDevice } from "@postern/tun";
import { openPorts, unframe } from "./receiver.ts";
import { pseudoHeaderSum, transportOf } from "./slow-segments.ts";

const RIGHT = 0xffff;

export interface Reflection {
    /** Multicasts, which are not for the peer: a host reports the groups of its addresses to every link, when it likes. */
    multicasts: number;
}

/** Turns round what `device` delivers, after a look at the checksums of every packet. */
export function reflect(device: TunDevice): Reflection {
    const reflection = { multicasts: 0 };
    const ports = openPorts((bytes) => {
        const packets = unframe(bytes);
        for (const packet of packets) assertChecksums(packet);
        const unicasts = packets.filter((packet) => !isMulticast(packet));
        reflection.multicasts += packets.length - unicasts.length;
        const stream = Buffer.concat(unicasts.map((packet) => frameOf(withAddressesExchanged(packet))));
        assert.equal(path.take(stream, 0, stream.length, true), stream.length);
    });
    const path = device.pathToAll(ports);
    path.refresh();
    device.start((error) => assert.fail(error));
    return reflection;
}

/** An SSTP data packet with an IP packet. */
export function frameOf(packet: Uint8Array): Uint8Array {
    return encodeDataPacket(encodeFrame((packet[0] ?? 0) >> 4 === 4 ? PROTOCOL.ipv4 : PROTOCOL.ipv6, packet));
}

/** Whether a packet goes to ff00::/8. */
export const isMulticast = (packet: Uint8Array): boolean => (packet[0] ?? 0) >> 4 === 6 && packet[24] === 0xff;

function withAddressesExchanged(packet: Uint8Array): Uint8Array {
    const [at, size] = (packet[0] ?? 0) >> 4 === 4 ? [12, 4] : [8, 16];
    const addresses = [packet.subarray(at + size, at + 2 * size), packet.subarray(at, at + size)];
    return Buffer.concat([packet.subarray(0, at), ...addresses, packet.subarray(at + 2 * size)]);
}

/** Fails where a checksum of the IPv4 header, of TCP or of UDP is wrong. */
export function assertChecksums(packet: Uint8Array): void {
    const isIpv4 = (packet[0] ?? 0) >> 4 === 4;
    if (isIpv4) assert.equal(onesComplementSum(packet, 0, ipv4HeaderSize(packet, 0)), RIGHT, "of the IPv4 header");
    const { protocol, offset } = transportOf(packet);
    if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return;
    const size = packet.length - offset;
    const pseudoHeader = pseudoHeaderSum(packet, protocol, size);
    assert.equal(onesComplementSum(packet, offset, size, pseudoHeader), RIGHT, `of protocol ${protocol}`);
}
