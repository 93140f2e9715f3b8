// Sources that the registry banned, followed from KV: a banned one is dropped at accept, before anything is spent on it.
import type { Bucket, Watch } from "@postern/bus";
import type { BanRecord } from "@postern/contracts";
import { sourceNetwork } from "@postern/ip";

export class BanList {
    /** By source, as sourceNetwork spells it. */
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

    /** The ban of `source` (of sourceNetwork) that is in force. */
    find(source: string): BanRecord | undefined {
        const ban = this.#bans.get(source);
        return ban !== undefined && Date.parse(ban.until) > this.#now() ? ban : undefined;
    }

    #add(key: string, ban: BanRecord): void {
        const source = sourceNetwork(ban.source);
        this.#sources.set(key, source);
        this.#bans.set(source, ban);
    }

    #remove(key: string): void {
        this.#bans.delete(this.#sources.get(key) ?? "");
        this.#sources.delete(key);
    }
}
