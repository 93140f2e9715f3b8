// An uplink without a device: it answers ping at the gateway address, so that a laptop without privileges can try postern.
import { copyBytes, equalBytes } from "@postern/bytes";
import { echoReply, formatIpv4, ipv4Destination, ipv6Destination, ipVersion } from "@postern/ip";
import { type DataPath, PacketPath, type PathPorts } from "@postern/tun";
import { NOTHING_CROSSED, type Uplink, type UplinkCounters } from "./uplink.ts";

export interface NullUplinkOptions {
    /** Our addresses inside the tunnel. */
    readonly gateway: number;
    readonly gatewayIpv6: Uint8Array | undefined;
    readonly mtu: number;
}

export class NullUplink implements Uplink {
    readonly description: string;
    readonly #options: NullUplinkOptions;
    readonly #counters = { ...NOTHING_CROSSED, dropped: { "no-network": 0 } };

    constructor(options: NullUplinkOptions) {
        this.#options = options;
        this.description = `none: only ping to ${formatIpv4(options.gateway)} is answered`;
    }

    get carriesIpv6(): boolean {
        return this.#options.gatewayIpv6 !== undefined;
    }

    start(): Promise<void> {
        return Promise.resolve();
    }

    path(_slot: number, ports: PathPorts): DataPath {
        const path = new PacketPath({
            ...ports,
            ...this.#options,
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
        const reply = this.#isForGateway(packet) ? echoReply(packet) : undefined;
        if (reply === undefined) {
            this.#counters.dropped["no-network"] += 1;
            return;
        }
        this.#counters.packetsIn += 1;
        this.#counters.bytesIn += reply.length;
        // A device would deliver later, too: the session must have finished with the chunk that asked.
        queueMicrotask(() => path.deliver(reply));
    }

    #isForGateway(packet: Uint8Array): boolean {
        const { gateway, gatewayIpv6 } = this.#options;
        if (ipVersion(packet, 0) === 4) return ipv4Destination(packet, 0) === gateway;
        return gatewayIpv6 !== undefined && equalBytes(ipv6Destination(packet, 0), gatewayIpv6);
    }
}
