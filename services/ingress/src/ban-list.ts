// Sources that the registry banned, followed from KV: a banned one is dropped at accept, before anything is spent on it.
import { isIPv6, SocketAddress } from "node:net";
import type { Bucket, Watch } from "@postern/bus";
import type { BanRecord } from "@postern/contracts";

export class BanList {
    /** By source, as it is written canonically: an administrator may have written it otherwise. */
    readonly #bans = new Map<string, BanRecord>();
    readonly #sources = new Map<string, string>();
    readonly #now: () => number;
    #watch: Watch | undefined;

    /** `now`: wall-clock milliseconds, because that is what a ban's end is given in. */
    constructor(now: () => number) {
        this.#now = now;
    }

    async start(bucket: Pick<Bucket<BanRecord>, "watch">): Promise<void> {
        this.#watch = await bucket.watch((change) => {
            if (change.kind === "put") this.#add(change.entry.key, change.entry.value);
            else this.#remove(change.key);
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
        const ban = this.#bans.get(address);
        return ban !== undefined && Date.parse(ban.until) > this.#now() ? ban : undefined;
    }

    #add(key: string, ban: BanRecord): void {
        const source = canonical(ban.source);
        this.#sources.set(key, source);
        this.#bans.set(source, ban);
    }

    #remove(key: string): void {
        this.#bans.delete(this.#sources.get(key) ?? "");
        this.#sources.delete(key);
    }
}

const canonical = (address: string): string =>
    isIPv6(address) ? new SocketAddress({ address, family: "ipv6" }).address : address;
