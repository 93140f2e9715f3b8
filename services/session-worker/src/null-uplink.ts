// An uplink without a device: it answers ping at the gateway address, so that a laptop without privileges can try postern.
import { copyBytes } from "@postern/bytes";
import { echoReply, formatIpv4, ipv4Destination, ipv4Size } from "@postern/ip";
import { type DataPath, PacketPath, type PathPorts } from "@postern/tun";
import type { Uplink, UplinkCounters } from "./uplink.ts";

export class NullUplink implements Uplink {
    readonly description: string;
    readonly #gateway: number;
    readonly #mtu: number;
    readonly #counters = { packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0, dropped: { "no-network": 0 } };

    constructor(gateway: number, mtu: number) {
        this.#gateway = gateway;
        this.#mtu = mtu;
        this.description = `none: only ping to ${formatIpv4(gateway)} is answered`;
    }

    start(): Promise<void> {
        return Promise.resolve();
    }

    path(_slot: number, ports: PathPorts): DataPath {
        const path = new PacketPath({
            ...ports,
            mtu: this.#mtu,
            gateway: this.#gateway,
            forward: (bytes, at, size) => this.#answer(copyBytes(bytes, at, at + size), path),
            onLease: () => undefined,
        });
        return path;
    }

    counters(): UplinkCounters {
        return this.#counters;
    }

    stop(): Promise<void> {
        return Promise.resolve();
    }

    #answer(packet: Uint8Array, path: PacketPath): void {
        this.#counters.packetsOut += 1;
        this.#counters.bytesOut += packet.length;
        const forGateway = ipv4Size(packet, 0, packet.length) > 0 && ipv4Destination(packet, 0) === this.#gateway;
        const reply = forGateway ? echoReply(packet) : undefined;
        if (reply === undefined) {
            this.#counters.dropped["no-network"] += 1;
            return;
        }
        this.#counters.packetsIn += 1;
        this.#counters.bytesIn += reply.length;
        // A device would deliver later, too: the session must have finished with the chunk that asked.
        queueMicrotask(() => path.deliver(reply));
    }
}
