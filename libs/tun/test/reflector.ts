// A peer that sends everything back with source and destination addresses exchanged, which leaves every checksum right: who
// connects to an address behind the device is connected to a listener of this host, and both ends are the kernel's.
import assert from "node:assert/strict";
import { pseudoHeaderSumIpv4, pseudoHeaderSumIpv6 } from "@postern/ip";
import { findUpperLayer, ipv4Destination, ipv4HeaderSize, ipv4Source, onesComplementSum } from "@postern/ip";
import { PROTOCOL_TCP, PROTOCOL_UDP, upperLayerOffset, upperLayerProtocol } from "@postern/ip";
import { type DataPath, HEADROOM, type TunDevice } from "@postern/tun";
import { openPorts, unframe } from "./receiver.ts";

const IPV6_HEADER = 40;
const RIGHT = 0xffff;

/** Turns round what `device` delivers, after a look at the checksums of every packet. */
export function reflect(device: TunDevice): DataPath {
    const ports = openPorts((bytes) => {
        const stream = Buffer.from(bytes);
        let at = 0;
        for (const packet of unframe(bytes)) {
            assertChecksums(packet);
            exchangeAddresses(stream.subarray(at + HEADROOM));
            at += HEADROOM + packet.length;
        }
        assert.equal(path.take(stream, 0, at, true), at);
    });
    const path = device.pathToAll(ports);
    path.refresh();
    device.start((error) => assert.fail(error));
    return path;
}

function exchangeAddresses(packet: Buffer): void {
    const [at, size] = packet.readUInt8(0) >> 4 === 4 ? [12, 4] : [8, 16];
    const source = Buffer.from(packet.subarray(at, at + size));
    packet.copyWithin(at, at + size, at + 2 * size);
    source.copy(packet, at + size);
}

/** Fails where a checksum of the IPv4 header, of TCP or of UDP is wrong. */
export function assertChecksums(packet: Uint8Array): void {
    const isIpv4 = (packet[0] ?? 0) >> 4 === 4;
    if (isIpv4) assert.equal(onesComplementSum(packet, 0, ipv4HeaderSize(packet, 0)), RIGHT, "of the IPv4 header");
    const found = findUpperLayer(packet, 0, packet.length);
    const [protocol, offset] = [upperLayerProtocol(found), upperLayerOffset(found)];
    if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return;
    const size = packet.length - offset;
    const pseudoHeader = isIpv4
        ? pseudoHeaderSumIpv4(ipv4Source(packet, 0), ipv4Destination(packet, 0), protocol, size)
        : pseudoHeaderSumIpv6(packet, IPV6_HEADER - 32, protocol, size);
    assert.equal(onesComplementSum(packet, offset, size, pseudoHeader), RIGHT, `of protocol ${protocol}`);
}
