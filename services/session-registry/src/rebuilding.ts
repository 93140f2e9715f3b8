// After the store was lost: the records are made again from what the workers have, and nobody is admitted before, because any
// address may be in use.  design.md part 3, "Liveness": the amnesty in which workers confirm their sessions.
import type { WatchStatus } from "@postern/bus";
import { DependencyError } from "@postern/errors";
import type { Clock } from "./clock.ts";

export interface RebuildingPorts {
    /** Compares a worker with the records, and makes those that are missing; false: it did not answer. */
    readonly compare: (worker: string) => Promise<boolean>;
    /** Gives live sessions the leases and listings that are missing. */
    readonly repair: () => Promise<void>;
    /** Workers that have a record now. */
    readonly present: () => readonly string[];
    /** Workers that have live sessions, by the copies in memory. */
    readonly owners: () => Iterable<string>;
    readonly clock: Clock;
    readonly log: { error(fields: object, message: string): void; info(fields: object, message: string): void };
    /** Milliseconds after which workers that did not come are waited for no longer. */
    readonly amnesty: number;
    readonly onFailure: (error: unknown) => void;
}

/** Milliseconds in which workers that live renew their record in a new store. */
const SETTLING = 2_000;

interface Episode {
    /** Monotonic milliseconds. */
    readonly since: number;
    readonly notBefore: number;
    /** Had sessions, and have not confirmed them. */
    readonly unheard: Set<string>;
}

export class Rebuilding {
    readonly #ports: RebuildingPorts;
    /** Bucket → when it was made. */
    readonly #madeAt = new Map<string, number>();
    readonly #interrupted = new Set<string>();
    readonly #waiting = new Set<() => void>();
    /** Who had sessions when the copies were last whole. */
    #owners: readonly string[] = [];
    #episode: Episode | undefined;
    #looking: Promise<void> | undefined;

    constructor(ports: RebuildingPorts) {
        this.#ports = ports;
    }

    /** Told of every change of what follows one of the buckets that an admission writes to. */
    onStatus(bucket: string, status: WatchStatus): void {
        if (!status.current) {
            if (this.#interrupted.size === 0) this.#owners = [...this.#ports.owners()];
            this.#interrupted.add(bucket);
            return;
        }
        this.#interrupted.delete(bucket);
        const before = this.#madeAt.get(bucket);
        this.#madeAt.set(bucket, status.madeAt);
        if (before !== undefined && before !== status.madeAt) {
            const fields = { bucket, workers: this.#owners };
            this.#ports.log.error(
                fields,
                "a bucket was made anew: nobody is admitted until workers confirm their sessions",
            );
            this.#begin(status.madeAt);
        } else if (before === undefined && this.#mayLack(status)) this.#begin(status.madeAt);
        this.#wake();
    }

    /** Resolves when admissions may go on; rejects with `REGISTRY_REBUILDING` when that is not so after `patience` milliseconds. */
    async done(patience: number): Promise<void> {
        const { clock } = this.#ports;
        const deadline = clock.monotonic() + patience;
        for (;;) {
            if (this.#episode === undefined && this.#interrupted.size === 0) return;
            const left = deadline - clock.monotonic();
            if (left <= 0) throw new DependencyError("REGISTRY_REBUILDING", this.#why());
            const { promise, resolve } = Promise.withResolvers<void>();
            this.#waiting.add(resolve);
            const cancel = clock.after(left, resolve);
            await promise;
            cancel();
            this.#waiting.delete(resolve);
        }
    }

    /** Asks the workers; called about once a second, and does nothing when nothing was lost. */
    look(): Promise<void> {
        this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
        return this.#looking;
    }

    #why(): string {
        const [gone] = this.#interrupted;
        if (gone !== undefined) return `bucket ${gone} cannot be followed`;
        const unheard = [...(this.#episode?.unheard ?? [])];
        return unheard.length === 0
            ? "workers are asked for their sessions"
            : `no answer yet from ${unheard.join(", ")}`;
    }

    /** A store that was made a moment ago, or never written to, may have replaced one while this replica was away. */
    #mayLack({ madeAt, untouched }: Extract<WatchStatus, { current: true }>): boolean {
        return untouched || this.#ports.clock.now() - madeAt < this.#ports.amnesty;
    }

    #begin(madeAt: number): void {
        const { clock, amnesty } = this.#ports;
        const now = clock.monotonic();
        const age = Math.max(0, clock.now() - madeAt);
        const notBefore = now + Math.max(0, Math.min(SETTLING, amnesty) - age);
        const unheard = new Set([...(this.#episode?.unheard ?? []), ...this.#owners]);
        this.#episode = { since: now, notBefore, unheard };
        const look = (): void => void this.look().catch(this.#ports.onFailure);
        clock.after(notBefore - now, look);
    }

    async #look(): Promise<void> {
        const episode = this.#episode;
        if (episode === undefined || this.#interrupted.size > 0) return;
        const { clock, amnesty, compare, repair, present, log } = this.#ports;
        let missing = false;
        for (const worker of new Set([...present(), ...episode.unheard])) {
            if (await compare(worker)) episode.unheard.delete(worker);
            else missing = true;
        }
        await repair();
        // Another bucket may have been made anew meanwhile.
        if (this.#episode !== episode || this.#interrupted.size > 0) return;
        const now = clock.monotonic();
        const isOver = now - episode.since >= amnesty;
        if (!isOver && (missing || now < episode.notBefore)) return;
        const unheard = [...episode.unheard];
        if (unheard.length > 0)
            log.error({ unheard }, "workers did not confirm their sessions: their addresses are free again");
        this.#episode = undefined;
        log.info({ milliseconds: Math.round(now - episode.since) }, "workers have confirmed their sessions");
        this.#wake();
    }

    #wake(): void {
        for (const wake of this.#waiting) wake();
    }
}
