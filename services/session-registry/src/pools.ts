// The configured pools: which address to try for a session, and what a client is told with it.
import type { SessionRegistrySection } from "@postern/config";
import type { LeaseRecord, SessionAddresses, SessionRecord } from "@postern/contracts";
import { formatCidr, formatIpv4, type Ipv6Cidr, ipv6Network, parseCidr, parseIpv4 } from "@postern/ip";
import { AddressPool, type AddressState } from "./address-pool.ts";

type PoolSettings = SessionRegistrySection["pools"][string];

export interface Wish {
    readonly pool: string;
    readonly principal: string;
    /** The only one that will do: the user's own fixed address. */
    readonly framed?: string | undefined;
    /** Addresses that the user had, the best first. */
    readonly preferred: readonly string[];
    /** Found to be taken. */
    readonly avoid: ReadonlySet<string>;
}

export interface Choice {
    readonly address: string;
    /** The pool is short: the address may be taken from a user for whom it is only held. */
    readonly evenIfHeld: boolean;
}

export interface PoolCounts {
    readonly pool: string;
    readonly state: AddressState;
    readonly addresses: number;
}

/** What the record of a session says of its addresses. */
type Described = Pick<SessionRecord, "address" | "ipv6Prefix" | "policy">;

interface Pool {
    readonly settings: PoolSettings;
    readonly addresses: AddressPool;
    readonly ipv6: Ipv6Cidr | undefined;
}

export class Pools {
    readonly #pools: ReadonlyMap<string, Pool>;
    readonly #random: () => number;
    /** The lease of an address, as far as this replica has seen. */
    readonly #leaseOf: (address: string) => LeaseRecord | undefined;

    constructor(
        settings: SessionRegistrySection["pools"],
        random: () => number,
        leaseOf: (address: string) => LeaseRecord | undefined,
    ) {
        const gateways = Object.values(settings).map(({ gateway }) => parseIpv4(gateway));
        const reserved = gateways.map((gateway) => ({ first: gateway, last: gateway }));
        this.#pools = new Map(
            Object.entries(settings).map(([name, pool]) => [
                name,
                {
                    settings: pool,
                    addresses: new AddressPool(pool.networks, [...pool.exclude, ...reserved]),
                    ipv6: ipv6Block(pool),
                },
            ]),
        );
        this.#random = random;
        this.#leaseOf = leaseOf;
    }

    has(pool: string): boolean {
        return this.#pools.has(pool);
    }

    /** An address worth trying; the lease decides.  Call `refresh` with it when that is over. `undefined`: there is none. */
    choose({ pool, principal, framed, preferred, avoid }: Wish): Choice | undefined {
        const addresses = this.#pools.get(pool)?.addresses;
        if (framed !== undefined) return avoid.has(framed) ? undefined : { address: framed, evenIfHeld: true };
        if (addresses === undefined) return undefined;
        const own = preferred.find((address) => !avoid.has(address) && this.#isFor(addresses, address, principal));
        if (own !== undefined) {
            addresses.set(parseIpv4(own), "used");
            return { address: own, evenIfHeld: false };
        }
        const free = addresses.takeFree(this.#random);
        if (free !== undefined) return { address: formatIpv4(free), evenIfHeld: false };
        const held = addresses.takeHeld();
        return held === undefined ? undefined : { address: formatIpv4(held), evenIfHeld: true };
    }

    /** Counts an address as its lease says. */
    refresh(address: string): void {
        const lease = this.#leaseOf(address);
        const state = lease === undefined ? "free" : lease.session === undefined ? "held" : "used";
        for (const { addresses } of this.#pools.values()) addresses.set(parseIpv4(address), state);
    }

    /** Milliseconds for which an address is kept for its user; 0 for one that is in no pool. */
    holdOf(pool: string, address: string): number {
        const found = this.#pools.get(pool);
        return found?.addresses.contains(parseIpv4(address)) === true ? found.settings.hold : 0;
    }

    /**
     * The /64 that goes with an address: that with the number of its place in `networks`, counted from 1.  It is nobody else's as
     * long as the address is not, comes back to a user with it and moves with it.  `undefined`: the pool has no IPv6, or not this address.
     */
    ipv6PrefixOf(pool: string, address: string): string | undefined {
        const found = this.#pools.get(pool);
        const place = found && placeOf(parseIpv4(address), found.settings.networks);
        if (found?.ipv6 === undefined || place === undefined) return undefined;
        return formatCidr(ipv6Network(found.ipv6, place));
    }

    /** What the client is told. */
    describe({ address, ipv6Prefix, policy }: Described): SessionAddresses | undefined {
        const settings = this.#pools.get(policy.pool)?.settings;
        if (settings === undefined) return undefined;
        const { gateway, nbns } = settings;
        const dns = [...(policy.dns ?? settings.dns)];
        const ipv6 =
            ipv6Prefix === undefined ? undefined : { prefix: ipv6Prefix, dns: [...(settings.ipv6?.dns ?? [])] };
        return { address, gateway, dns, nbns: [...nbns], ...(ipv6 === undefined ? {} : { ipv6 }) };
    }

    isGateway(address: string): boolean {
        return [...this.#pools.values()].some(({ settings }) => settings.gateway === address);
    }

    counts(): PoolCounts[] {
        return [...this.#pools].flatMap(([pool, { addresses }]) =>
            (["free", "held", "used"] as const).map((state) => ({ pool, state, addresses: addresses[state] })),
        );
    }

    #isFor(addresses: AddressPool, address: string, principal: string): boolean {
        if (!addresses.contains(parseIpv4(address))) return false;
        const lease = this.#leaseOf(address);
        return lease === undefined || lease.principal === principal;
    }
}

const ipv6Block = ({ ipv6 }: PoolSettings): Ipv6Cidr | undefined => {
    const block = ipv6 && parseCidr(ipv6.prefix);
    return block?.version === 6 ? block : undefined;
};

/** Excluded addresses count, so that to exclude one moves nobody. */
function placeOf(address: number, networks: PoolSettings["networks"]): number | undefined {
    let before = 1;
    for (const { first, last } of networks) {
        if (first <= address && address <= last) return before + address - first;
        before += last - first + 1;
    }
    return undefined;
}
