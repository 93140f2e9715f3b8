// What becomes of a client's stream, packet by packet: `PacketPath` for IPv4, and by the same rules written out once more for IPv6,
// which it does not carry.
import { classifyPacket, clampTcpMss, ipv6Size, ipv6Source } from "@postern/ip";
import { headerSizeOf, PROTOCOL, pppProtocolAt, protocolOf } from "@postern/ppp";
import { HEADER_SIZE, PacketReader, SstpError } from "@postern/sstp";
import { DROP_REASONS, type DropReason, noDrops, PacketPath } from "@postern/tun";
import type { TakeCase } from "./native-cases.ts";
import { LEASE } from "./stream-cases.ts";

export interface ReferenceResult {
    readonly forwarded: readonly Buffer[];
    /** SSTP packets that are not for the network. */
    readonly left: readonly Buffer[];
    /** In the order of native/session.h. */
    readonly counters: readonly number[];
    readonly isFramingLost: boolean;
}

export function takeSlowly(one: TakeCase): ReferenceResult {
    const forwarded: Buffer[] = [];
    const left: Buffer[] = [];
    const ipv6 = { packets: 0, bytes: 0, drops: noDrops() };
    const drop = (reason: DropReason): true => ((ipv6.drops[reason] += 1), true);
    const path = new PacketPath({
        gate: { ipv4Open: one.ipv4Open, peerMru: 4_091 },
        egress: { room: 0, sendData: () => false },
        onControlFrame: () => undefined,
        onLease: () => undefined,
        forward: (bytes, at, size) => void forwarded.push(Buffer.from(bytes.subarray(at, at + size))),
        mtu: one.mtu,
        gateway: 0,
    });
    const hasLease = one.ipv4.some((byte) => byte !== 0);
    const hasNetwork = one.ipv6Network.some((byte) => byte !== 0);
    if (hasLease) path.lease(LEASE);

    /** False: it is not for the network. */
    function takeIpv6(bytes: Uint8Array, at: number, end: number): boolean {
        const size = ipv6Size(bytes, at, end - at);
        if (size === 0) return drop("malformed");
        const kind = classifyPacket(bytes, at, size);
        if (kind === "slow") return false;
        const isOwn = hasNetwork && Buffer.from(one.ipv6Network).equals(ipv6Source(bytes, at).subarray(0, 8));
        if (!isOwn) return drop("foreign-source");
        if (kind === "invalid") return drop("malformed");
        clampTcpMss(bytes, at, size, one.mtu);
        ipv6.packets += 1;
        ipv6.bytes += size;
        forwarded.push(Buffer.from(bytes.subarray(at, at + size)));
        return true;
    }

    function takeFrame(bytes: Uint8Array, start: number, end: number): boolean {
        if (!one.ipv6Open) return path.take(bytes, start - HEADER_SIZE, end) === end;
        const classified = pppProtocolAt(bytes, start, end);
        const protocol = protocolOf(classified);
        if (protocol === PROTOCOL.ipv6) return takeIpv6(bytes, start + headerSizeOf(classified), end);
        if (protocol === PROTOCOL.ipv4 && !one.ipv4Open) return drop("gate-closed");
        return path.take(bytes, start - HEADER_SIZE, end) === end;
    }

    const leave = (bytes: Uint8Array, start: number, end: number): void =>
        void left.push(Buffer.from(bytes.subarray(start, end)));
    const reader = new PacketReader({
        onControlPacket: leave,
        onDataPacket: (bytes, start, end) => {
            if (!takeFrame(bytes, start, end)) leave(bytes, start - HEADER_SIZE, end);
        },
    });
    const isFramingLost = !isReadThrough(reader, Buffer.from(one.stream));
    const { packetsIn, bytesIn, droppedIn } = path.counters;
    const drops = DROP_REASONS.map((reason) => path.drops[reason] + ipv6.drops[reason]);
    const dropped = droppedIn + Object.values(ipv6.drops).reduce((sum, count) => sum + count, 0);
    const counters = [packetsIn + ipv6.packets, bytesIn + ipv6.bytes, 0, 0, dropped, 0, ...drops];
    return { forwarded, left, counters, isFramingLost };
}

function isReadThrough(reader: PacketReader, stream: Uint8Array): boolean {
    try {
        reader.push(stream);
        return true;
    } catch (error) {
        if (error instanceof SstpError) return false;
        throw error;
    }
}
