// Sources that the registry banned, followed from KV: a banned one is dropped at accept, before anything is spent on it.
import type { Bucket, Watch } from "@postern/bus";
import { addressKey, type BanRecord } from "@postern/contracts";

export class BanList {
    readonly #bans = new Map<string, BanRecord>();
    readonly #now: () => number;
    #watch: Watch | undefined;

    /** `now`: wall-clock milliseconds, because that is what a ban's end is given in. */
    constructor(now: () => number) {
        this.#now = now;
    }

    async start(bucket: Bucket<BanRecord>): Promise<void> {
        this.#watch = await bucket.watch((change) => {
            if (change.kind === "put") this.#bans.set(change.entry.key, change.entry.value);
            else this.#bans.delete(change.key);
        });
        await this.#watch.ready;
    }

    stop(): void {
        this.#watch?.stop();
    }

    get size(): number {
        return this.#bans.size;
    }

    /** The ban of `address` that is in force. */
    find(address: string): BanRecord | undefined {
        const ban = this.#bans.get(addressKey(address));
        return ban !== undefined && Date.parse(ban.until) > this.#now() ? ban : undefined;
    }
}
