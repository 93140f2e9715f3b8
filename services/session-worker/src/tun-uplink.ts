// The uplink over a TUN device, with the host's forwarding and firewall around it.
import { DependencyError, InvariantError } from "@postern/errors";
import { parseCidr } from "@postern/ip";
import type { Logger } from "@postern/telemetry";
import {
    type DataPath,
    enableForwarding,
    Firewall,
    openTun,
    type PathPorts,
    requireIpv6,
    type TunDevice,
} from "@postern/tun";
import type { Uplink, UplinkCounters } from "./uplink.ts";

export interface TunUplinkOptions {
    readonly device: string;
    readonly mtu: number;
    readonly gateway: string;
    readonly mode: "nat" | "routed";
    readonly pools: readonly string[];
    readonly ipv6?: { readonly gateway: string; readonly pools: readonly string[] } | undefined;
    readonly clientToClient: boolean;
    /** As many as there can be. */
    readonly sessions: number;
}

/** What the names of all workers' devices begin with: rules between clients hold for all workers of a host. */
const DEVICE_PREFIX = "pst";

export class TunUplink implements Uplink {
    readonly #options: TunUplinkOptions;
    readonly #log: Pick<Logger, "fatal" | "warn">;
    #device: TunDevice | undefined;
    #carriesIpv6 = false;

    constructor(options: TunUplinkOptions, log: Pick<Logger, "fatal" | "warn">) {
        this.#options = options;
        this.#log = log;
    }

    get description(): string {
        const { device, mtu, mode } = this.#options;
        const offload = this.#device === undefined ? "" : `, offload up to ${this.#device.offload}`;
        return `TUN ${device}, MTU ${mtu}, gateway ${this.#gateways.join(" and ")}, ${mode}${offload}`;
    }

    get carriesIpv6(): boolean {
        return this.#carriesIpv6;
    }

    async start(): Promise<void> {
        const { device, mtu, sessions } = this.#options;
        enableForwarding("ipv4");
        this.#carriesIpv6 = await this.#prepareIpv6();
        if (!this.#carriesIpv6) await this.#firewall(this.#options.pools).apply();
        this.#device = openTun({ name: device, mtu, gateways: this.#gateways, sessions });
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
        const { dropsNotIp, dropsNoSession, dropsInQueueFull, dropsOutQueueFull, dropsOutRefused, ...passed } =
            this.#open.counters();
        return {
            ...passed,
            dropped: {
                "not-ip": dropsNotIp,
                "no-session": dropsNoSession,
                "in-queue-full": dropsInQueueFull,
                "out-queue-full": dropsOutQueueFull,
                "out-refused": dropsOutRefused,
            },
        };
    }

    async stop(): Promise<void> {
        this.#device?.close();
        await this.#firewall([]).remove();
    }

    get #gateways(): readonly string[] {
        const { gateway, ipv6 } = this.#options;
        return ipv6 !== undefined && this.#carriesIpv6 ? [gateway, ipv6.gateway] : [gateway];
    }

    /** Puts the rules for both families in place and makes the host a router of both; a host that cannot has IPv4 alone. */
    async #prepareIpv6(): Promise<boolean> {
        const { ipv6, pools } = this.#options;
        if (ipv6 === undefined) return false;
        try {
            requireIpv6();
            await this.#firewall([...pools, ...ipv6.pools]).apply();
            enableForwarding("ipv6");
            return true;
        } catch (error) {
            if (!(error instanceof DependencyError)) throw error;
            this.#log.warn({ error: error.message }, "IPv6 is configured and not carried: clients have IPv4 alone");
            return false;
        }
    }

    #firewall(pools: readonly string[]): Firewall {
        const { device, mode, clientToClient } = this.#options;
        return new Firewall({
            // Unique on a host, as an instance's name is not; what a crash leaves is found again under it.
            owner: device,
            pools: pools.map((pool) => parseCidr(pool)),
            interfacePrefix: DEVICE_PREFIX,
            masquerade: mode === "nat",
            clientToClient,
        });
    }

    get #open(): TunDevice {
        if (this.#device === undefined) throw new InvariantError("the uplink is not started");
        return this.#device;
    }
}
