// Where packets cross between a tunnel and its TUN device, and the only place: whole TLS chunks one way, whole runs the other.
import { FRAME_HEADER_SIZE, headerSizeOf, PROTOCOL, pppProtocolAt, protocolOf, writeFrameHeader } from "@postern/ppp";
import { encodeHeader, HEADER_SIZE, PacketReader } from "@postern/sstp";
import type { SstpClient } from "@postern/sstp-client";
import { HEADROOM, openTun, type PacketRun, type TunDevice } from "@postern/tun";
import { parseCidr } from "@postern/ip";

/** Octets that may wait for the TLS connection; more is dropped, as by any network interface. */
const LONGEST_QUEUE = 1_048_576;
/** Of the largest TLS record there is room for: 16 KiB of SSTP packets that have nothing in them. */
const MAX_PACKETS = 4_096;
const SLOT = 0;

export interface TunnelDeviceOptions {
    readonly name: string;
    readonly mtu: number;
    /** The inner address behind the tunnel. */
    readonly reach: string;
}

/** From now on what the host sends to `reach` through the device goes into the tunnel, and what comes out of it to the host. */
export function openTunnelDevice(client: SstpClient, { name, mtu, reach }: TunnelDeviceOptions): TunDevice {
    const device = openTun({ name, mtu, gateways: [client.address ?? ""] });
    device.addSession(SLOT, [parseCidr(reach)]);
    receiveInto(device, client);
    device.start({
        onRun: (run) => send(client, run),
        onLost: (error) => {
            throw error;
        },
    });
    return device;
}

function receiveInto(device: TunDevice, client: SstpClient): void {
    const spans = new Uint32Array(2 * MAX_PACKETS);
    let count = 0;
    let batch: Uint8Array | undefined;
    const flush = (): void => {
        if (batch !== undefined) device.write(batch, spans, count);
        batch = undefined;
        count = 0;
    };
    const { tail, rest } = client.takeOver((chunk) => {
        reader.push(chunk);
        flush();
    });
    const reader: PacketReader = new PacketReader(
        {
            onControlPacket: (bytes, start, end) => rest.onControlPacket(bytes, start, end),
            onDataPacket: (bytes, start, end) => {
                const classified = pppProtocolAt(bytes, start, end);
                if (protocolOf(classified) !== PROTOCOL.ipv4) return rest.onDataPacket(bytes, start, end);
                // A packet that came in two chunks lies in a buffer of its own.
                if (batch !== bytes || count === MAX_PACKETS) flush();
                batch = bytes;
                const at = start + headerSizeOf(classified);
                spans[2 * count] = at;
                spans[2 * count + 1] = end - at;
                count += 1;
            },
        },
        tail,
    );
}

function send(client: SstpClient, run: PacketRun): void {
    if (client.waitingBytes > LONGEST_QUEUE) return run.release();
    for (let at = 0; at < run.count; at += 1) {
        const header = run.offset(at) - HEADROOM;
        encodeHeader(run.bytes, header, "data", FRAME_HEADER_SIZE + run.size(at));
        writeFrameHeader(run.bytes, header + HEADER_SIZE, PROTOCOL.ipv4);
    }
    client.writeFramed(run.bytes, () => run.release());
}
