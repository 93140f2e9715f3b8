// Who has an address: `leases/<address>`, one key an address.
import { addressKey, type LeaseRecord } from "@postern/contracts";
import { timestamp, type Clock } from "./clock.ts";
import { AGAIN, type Retry } from "./retry.ts";
import type { WatchedBucket } from "./watched-bucket.ts";

export interface Claim {
    readonly address: string;
    readonly pool: string;
    readonly principal: string;
    readonly session: string;
    /** Whether others, for whom the address is only held, must yield. */
    readonly evenIfHeld: boolean;
}

export interface LeasesPorts {
    readonly bucket: WatchedBucket<LeaseRecord>;
    readonly clock: Clock;
    readonly retry: Retry;
    /** Whether a session has ended, or will never be; a session that nobody knows may still be on its way. */
    readonly isOver: (session: string) => Promise<boolean>;
}

export class Leases {
    readonly #ports: LeasesPorts;

    constructor(ports: LeasesPorts) {
        this.#ports = ports;
    }

    /** Takes the address for a session; the lease that is in the way, or `undefined`: the session has it.  Idempotent. */
    async take(claim: Claim): Promise<LeaseRecord | undefined> {
        const { bucket, retry } = this.#ports;
        const key = addressKey(claim.address);
        const { address, pool, principal, session } = claim;
        const mine: LeaseRecord = { address, pool, principal, session };
        return retry(`lease of ${address}`, async (turn) => {
            const entry = await bucket.read(key, turn);
            if (entry === undefined) return (await bucket.create(key, mine)) === undefined ? AGAIN : undefined;
            if (entry.value.session === session) return undefined;
            if (!(await this.#yields(entry.value, claim))) {
                // Only what the bucket itself says may turn a session away from its address.
                return turn === 0 ? AGAIN : entry.value;
            }
            return (await bucket.update(key, mine, entry.revision)) === undefined ? AGAIN : undefined;
        });
    }

    /** Ends the lease of a session; with `holdFor` (milliseconds) the address is kept for its user.  Idempotent. */
    async free(address: string, session: string, holdFor: number): Promise<void> {
        const { bucket, clock, retry } = this.#ports;
        const key = addressKey(address);
        await retry(`lease of ${address}`, async (turn) => {
            const entry = await bucket.read(key, turn);
            if (entry === undefined || entry.value.session !== session) return turn === 0 ? AGAIN : undefined;
            if (holdFor <= 0) return (await bucket.delete(key, entry.revision)) ? undefined : AGAIN;
            const { pool, principal } = entry.value;
            const held = { address, pool, principal, heldUntil: timestamp(clock.now() + holdFor) };
            return (await bucket.update(key, held, entry.revision)) === undefined ? AGAIN : undefined;
        });
    }

    async #yields(lease: LeaseRecord, claim: Claim): Promise<boolean> {
        if (lease.session !== undefined && !(await this.#ports.isOver(lease.session))) return false;
        if (lease.principal === claim.principal || claim.evenIfHeld) return true;
        return lease.heldUntil !== undefined && Date.parse(lease.heldUntil) <= this.#ports.clock.now();
    }
}
