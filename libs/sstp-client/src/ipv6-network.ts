// How a host comes to an IPv6 address of its own: the network from a router advertisement, the rest from IPV6CP (RFC 4862 §5.5.3,
// RFC 5072 §5).
import { fromHex } from "@postern/bytes";
import { DependencyError } from "@postern/errors";
import {
    formatCidr,
    formatIpv6,
    ipv6Address,
    ipv6Source,
    linkLocalAddress,
    readRouterAdvertisement,
    routerSolicitation,
} from "@postern/ip";
import type { AgreedIpv6 } from "@postern/ppp";

/** What a router advertised, and what follows from it. */
export interface Ipv6Network {
    /** Ours, in the first network of 64 bits that the router gave. */
    readonly address: string;
    /** That network, `2001:db8:0:5::/64`. */
    readonly prefix: string;
    /** The router's link-local address. */
    readonly router: string;
    /** For how many seconds it routes for us. */
    readonly routerLifetime: number;
    readonly mtu: number | undefined;
    readonly dns: readonly string[];
}

/** Milliseconds between two solicitations: RFC 4861 §10 has four seconds, for links that others share. */
const SOLICITATION_INTERVAL = 1_000;
const NETWORK_PREFIX_LENGTH = 64;

export interface Ipv6HostPorts {
    readonly agreed: () => AgreedIpv6 | undefined;
    readonly send: (packet: Uint8Array) => void;
}

export class Ipv6Host {
    readonly #ports: Ipv6HostPorts;
    readonly #waiting = new Set<(network: Ipv6Network | undefined) => void>();
    #network: Ipv6Network | undefined;

    constructor(ports: Ipv6HostPorts) {
        this.#ports = ports;
    }

    /** What the router said last. */
    get network(): Ipv6Network | undefined {
        return this.#network;
    }

    /** The address on the link itself, while IPV6CP is open. */
    get linkLocal(): Uint8Array | undefined {
        const interfaceId = this.#ports.agreed()?.interfaceId;
        return interfaceId === undefined ? undefined : linkLocalAddress(fromHex(interfaceId));
    }

    /** Whether `packet` was a router advertisement. */
    receive(packet: Uint8Array): boolean {
        const advertisement = readRouterAdvertisement(packet);
        if (advertisement === undefined) return false;
        const interfaceId = this.#ports.agreed()?.interfaceId;
        const found = advertisement.prefixes.find(({ prefix }) => prefix.prefixLength === NETWORK_PREFIX_LENGTH);
        if (interfaceId === undefined || found === undefined) return true;
        this.#network = {
            address: formatIpv6(ipv6Address(found.prefix.network, fromHex(interfaceId))),
            prefix: formatCidr(found.prefix),
            router: formatIpv6(ipv6Source(packet, 0)),
            routerLifetime: advertisement.routerLifetime,
            mtu: advertisement.mtu,
            dns: (advertisement.nameServers?.addresses ?? []).map((address) => formatIpv6(address)),
        };
        this.#settle(this.#network);
        return true;
    }

    /** The network, asked for as long as there is none; rejects with IPV6_UNANSWERED after `timeout` milliseconds. */
    async until(timeout: number): Promise<Ipv6Network> {
        if (this.#network !== undefined) return this.#network;
        const { promise, resolve } = Promise.withResolvers<Ipv6Network | undefined>();
        this.#waiting.add(resolve);
        const solicit = (): void => {
            const { linkLocal } = this;
            if (linkLocal !== undefined) this.#ports.send(routerSolicitation(linkLocal));
        };
        solicit();
        const again = setInterval(solicit, SOLICITATION_INTERVAL);
        const deadline = setTimeout(() => resolve(undefined), timeout);
        try {
            const network = await promise;
            if (network === undefined) throw new DependencyError("IPV6_UNANSWERED", `no network in ${timeout} ms`);
            return network;
        } finally {
            this.#waiting.delete(resolve);
            clearInterval(again);
            clearTimeout(deadline);
        }
    }

    /** No network will come any more. */
    close(): void {
        this.#settle(undefined);
    }

    #settle(network: Ipv6Network | undefined): void {
        for (const resolve of this.#waiting) resolve(network);
    }
}
