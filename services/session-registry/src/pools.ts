// The configured pools: which address to try for a session, and what a client is told with it.
import type { SessionRegistrySection } from "@postern/config";
import { type LeaseRecord, type SessionAddresses } from "@postern/contracts";
import { formatIpv4, parseIpv4 } from "@postern/ip";
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

interface Pool {
    readonly settings: PoolSettings;
    readonly addresses: AddressPool;
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
                { settings: pool, addresses: new AddressPool(pool.networks, [...pool.exclude, ...reserved]) },
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

    /** What the client is told. */
    describe(pool: string, address: string, dns: readonly string[] | undefined): SessionAddresses | undefined {
        const settings = this.#pools.get(pool)?.settings;
        if (settings === undefined) return undefined;
        const { gateway, nbns } = settings;
        return { address, gateway, dns: [...(dns ?? settings.dns)], nbns: [...nbns] };
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
