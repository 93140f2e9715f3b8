// Sources that nobody may connect from: `bans/<source>`.  Each key ends by itself.  An IPv6 address stands for its /64.
import type { Bucket, WatchStatus } from "@postern/bus";
import { addressKey, adminAction, type BanQuestion, type BanRecord } from "@postern/contracts";
import { sourceNetwork } from "@postern/ip";
import type { Events } from "@postern/service";
import { timestamp, type Clock } from "./clock.ts";
import { AGAIN, type Retry } from "./retry.ts";
import { WatchedBucket } from "./watched-bucket.ts";

export interface BansPorts {
    readonly bucket: Bucket<BanRecord>;
    readonly events: Pick<Events, "append">;
    readonly clock: Clock;
    readonly retry: Retry;
    readonly max: number;
    readonly onStatus?: (status: WatchStatus) => void;
}

export class Bans {
    readonly records: WatchedBucket<BanRecord>;
    readonly #ports: BansPorts;

    constructor(ports: BansPorts) {
        this.#ports = ports;
        this.records = new WatchedBucket(ports);
    }

    /** Why nobody from `address` gets in. */
    reasonOf(address: string): string | undefined {
        const source = sourceNetwork(address);
        const ban = this.records.known(addressKey(source))?.entry.value;
        if (ban === undefined || Date.parse(ban.until) <= this.#ports.clock.now()) return undefined;
        return `${source} is banned until ${ban.until}: ${ban.reason}`;
    }

    /** Answers with the ban added or lifted, or with all of them. */
    async answer(question: BanQuestion): Promise<BanRecord[]> {
        if (question.action === "add") return [await this.#add(question)];
        if (question.action === "lift") return this.#lift(question);
        return [...this.records.all()].map(({ entry }) => entry.value).sort(byEnd);
    }

    async #add({ source: address, seconds, reason, by }: Extract<BanQuestion, { action: "add" }>): Promise<BanRecord> {
        const { clock, events, max } = this.#ports;
        const source = sourceNetwork(address);
        const key = addressKey(source);
        if (this.records.known(key) === undefined && this.records.size >= max) await this.#makeRoom();
        const now = clock.now();
        const ban = { source, reason, by, since: timestamp(now), until: timestamp(now + seconds * 1000) };
        const detail = `for ${seconds} s: ${reason}`.slice(0, 300);
        await events.append(adminAction, source, { action: "ban.add", target: source, by, detail });
        await this.records.put(key, ban, { ttlSeconds: seconds });
        return ban;
    }

    async #lift({ source: address, by }: Extract<BanQuestion, { action: "lift" }>): Promise<BanRecord[]> {
        const { events, retry } = this.#ports;
        const source = sourceNetwork(address);
        const key = addressKey(source);
        return retry(`ban of ${source}`, async () => {
            const entry = await this.records.fetch(key);
            if (entry === undefined) return [];
            if (!(await this.records.delete(key, entry.revision))) return AGAIN;
            await events.append(adminAction, source, { action: "ban.lift", target: source, by });
            return [entry.value];
        });
    }

    /** The ban that would end first gives way: a flood of them must not grow without bound. */
    async #makeRoom(): Promise<void> {
        const [first] = [...this.records.all()].sort((a, b) => byEnd(a.entry.value, b.entry.value));
        if (first !== undefined) await this.records.delete(first.entry.key, first.entry.revision);
    }
}

const byEnd = (a: BanRecord, b: BanRecord): number => (a.until < b.until ? -1 : 1);
