// The uplink over a TUN device, with the host's forwarding and firewall around it.
import { InvariantError } from "@postern/errors";
import { parseCidr } from "@postern/ip";
import type { Logger } from "@postern/telemetry";
import { type DataPath, enableForwarding, Firewall, openTun, type PathPorts, type TunDevice } from "@postern/tun";
import type { Uplink, UplinkCounters } from "./uplink.ts";

export interface TunUplinkOptions {
    readonly device: string;
    readonly mtu: number;
    readonly gateway: string;
    readonly mode: "nat" | "routed";
    readonly pools: readonly string[];
    readonly clientToClient: boolean;
    /** As many as there can be. */
    readonly sessions: number;
}

/** What the names of all workers' devices begin with: rules between clients hold for all workers of a host. */
const DEVICE_PREFIX = "pst";

export class TunUplink implements Uplink {
    readonly #options: TunUplinkOptions;
    readonly #log: Pick<Logger, "fatal">;
    readonly #firewall: Firewall;
    #device: TunDevice | undefined;

    constructor(options: TunUplinkOptions, log: Pick<Logger, "fatal">) {
        const { device, pools, mode, clientToClient } = options;
        this.#options = options;
        this.#log = log;
        this.#firewall = new Firewall({
            // Unique on a host, as an instance's name is not; what a crash leaves is found again under it.
            owner: device,
            pools: pools.map((pool) => parseCidr(pool)),
            interfacePrefix: DEVICE_PREFIX,
            masquerade: mode === "nat",
            clientToClient,
        });
    }

    get description(): string {
        const { device, mtu, gateway, mode } = this.#options;
        const offload = this.#device === undefined ? "" : `, offload up to ${this.#device.offload}`;
        return `TUN ${device}, MTU ${mtu}, gateway ${gateway}, ${mode}${offload}`;
    }

    async start(): Promise<void> {
        const { device, mtu, gateway, sessions } = this.#options;
        enableForwarding("ipv4");
        await this.#firewall.apply();
        this.#device = openTun({ name: device, mtu, gateways: [gateway], sessions });
        this.#device.start((error) => {
            // Nothing can be moved any more: end, and let whoever supervises this process start a new one.
            this.#log.fatal({ error, device }, "the TUN device is gone");
            throw error;
        });
    }

    path(slot: number, ports: PathPorts): DataPath {
        return this.#open.path(slot, ports);
    }

    counters(): UplinkCounters {
        const { packetsIn, packetsOut, bytesIn, bytesOut, reads: _, writes: __, ...drops } = this.#open.counters();
        return { packetsIn, packetsOut, bytesIn, bytesOut, dropped: drops };
    }

    async stop(): Promise<void> {
        this.#device?.close();
        await this.#firewall.remove();
    }

    get #open(): TunDevice {
        if (this.#device === undefined) throw new InvariantError("the uplink is not started");
        return this.#device;
    }
}
