// What becomes of a client's stream, packet by packet.
import { HEADER_SIZE, PacketReader, SstpError } from "@postern/sstp";
import { DROP_REASONS, PacketPath } from "@postern/tun";
import type { TakeCase } from "./native-cases.ts";
import { LEASE, NETWORK } from "./stream-cases.ts";

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
    const path = new PacketPath({
        gate: { ipv4Open: one.ipv4Open, ipv6Open: one.ipv6Open, peerMru: one.largest },
        egress: { room: 0, sendData: () => false },
        onControlFrame: () => undefined,
        onLease: () => undefined,
        forward: (bytes, at, size) => void forwarded.push(Buffer.from(bytes.subarray(at, at + size))),
        mtu: 1_400,
        gateway: 0,
        gatewayIpv6: undefined,
    });
    if (one.ipv4.some((byte) => byte !== 0)) path.lease(LEASE, one.largest, NETWORK);

    const leave = (bytes: Uint8Array, start: number, end: number): void =>
        void left.push(Buffer.from(bytes.subarray(start, end)));
    const reader = new PacketReader({
        onControlPacket: leave,
        onDataPacket: (bytes, start, end) => {
            if (path.take(bytes, start - HEADER_SIZE, end) !== end) leave(bytes, start - HEADER_SIZE, end);
        },
    });
    const isFramingLost = !isReadThrough(reader, Buffer.from(one.stream));
    const { packetsIn, bytesIn, droppedIn } = path.counters;
    const drops = DROP_REASONS.map((reason) => path.drops[reason]);
    const counters = [packetsIn, bytesIn, 0, 0, droppedIn, 0, ...drops];
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
