// Where packets cross between a tunnel and its TUN device, and the only place: whole TLS chunks one way, whole runs the other.
import { parseCidr } from "@postern/ip";
import { PacketReader } from "@postern/sstp";
import type { SstpClient } from "@postern/sstp-client";
import { type DataPath, openTun, type TunDevice } from "@postern/tun";

/** Octets that may wait for the TLS connection; more is dropped, as by any network interface. */
const LONGEST_QUEUE = 1_048_576;
const SLOT = 0;

export interface TunnelDeviceOptions {
    readonly name: string;
    readonly mtu: number;
    /** The inner address behind the tunnel. */
    readonly reach: string;
    /** An IPv6 address there, for a client that knows its network. */
    readonly reachIpv6?: string | undefined;
}

/** From now on what the host sends to `reach` through the device goes into the tunnel, and what comes out of it to the host. */
export function openTunnelDevice(client: SstpClient, { name, mtu, reach, reachIpv6 }: TunnelDeviceOptions): TunDevice {
    const ipv6 = reachIpv6 === undefined ? undefined : client.ipv6Network;
    const gateways = [client.address ?? "", ...(ipv6 === undefined ? [] : [ipv6.address])];
    const device = openTun({ name, mtu, gateways, sessions: 1 });
    const path = device.pathToAll({
        gate: { ipv4Open: true, ipv6Open: ipv6 !== undefined, peerMru: mtu },
        egress: {
            get room() {
                return Math.max(0, LONGEST_QUEUE - client.waitingBytes);
            },
            sendData(bytes, done) {
                client.writeFramed(bytes, done);
                return true;
            },
        },
        onControlFrame: () => undefined,
    });
    path.refresh();
    receiveInto(path, client);
    device.addSession(SLOT, [reach, ...(reachIpv6 === undefined ? [] : [reachIpv6])].map(parseCidr));
    device.start((error) => {
        throw error;
    });
    return device;
}

function receiveInto(path: DataPath, client: SstpClient): void {
    let current: Uint8Array | undefined;
    const { tail, rest } = client.takeOver((bytes, lasting) => {
        current = lasting ? bytes : undefined;
        reader.push(bytes);
        current = undefined;
    });
    const reader: PacketReader = new PacketReader(
        {
            // A packet that came in two chunks lies in a buffer of the reader's own, and does not last.
            takeData: (bytes, at, end) => path.take(bytes, at, end, bytes === current),
            onControlPacket: (bytes, start, end) => rest.onControlPacket(bytes, start, end),
            onDataPacket: (bytes, start, end) => rest.onDataPacket(bytes, start, end),
        },
        tail,
    );
}
