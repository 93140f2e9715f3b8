// The outbox of a dead peer: published under the peer's own source, and given back as soon as the peer returns.
import { DependencyError } from "@postern/errors";
import type { Delivery } from "./delivery.ts";
import { isClaimed, lockDirectory, type DirectoryLock } from "./directory-lock.ts";
import { giveUpRoom, instanceOf, readLeftovers, removeReserve, type DirectoryOptions } from "./outbox-directory.ts";

/** `undefined`: somebody uses the directory, or nothing is left in it. */
export async function adoptDirectory(options: DirectoryOptions, adopter: string): Promise<Adoption | undefined> {
    if (await isClaimed(options.directory, options.host)) return undefined;
    const lock = await lockOrNone(options, `${adopter}, standing in`);
    if (lock === undefined) return undefined;
    try {
        const { deliveries, corruptions } = await readLeftovers(options);
        if (deliveries.length > 0) return new Adoption(options, lock, deliveries, corruptions);
    } catch (error) {
        // For its owner, or for the next attempt.
        await lock.release();
        throw error;
    }
    await lock.release();
    return undefined;
}

async function lockOrNone(options: DirectoryOptions, holder: string): Promise<DirectoryLock | undefined> {
    const makeRoom = (): Promise<boolean> => giveUpRoom(options);
    try {
        return await lockDirectory(options.directory, holder, { patience: 0, claim: false, makeRoom }, options.host);
    } catch (error) {
        if (error instanceof DependencyError && error.code === "OUTBOX_LOCKED") return undefined;
        throw error;
    }
}

export class Adoption {
    readonly deliveries: readonly Delivery[];
    readonly corruptions: number;
    readonly #options: DirectoryOptions;
    readonly #lock: DirectoryLock;
    released = false;

    constructor(options: DirectoryOptions, lock: DirectoryLock, deliveries: readonly Delivery[], corruptions: number) {
        this.deliveries = deliveries;
        this.corruptions = corruptions;
        this.#options = options;
        this.#lock = lock;
        this.#startInOrder().catch((error: unknown) => options.log.error({ error }, "an adopted outbox cannot start"));
    }

    /** True once the directory is given back: everything is published, or its owner wants it. */
    async finishOrYield(): Promise<boolean> {
        const instance = instanceOf(this.#options.directory);
        if (this.deliveries.every(({ done }) => done)) {
            for (const { journal } of this.deliveries) await journal.remove();
            await removeReserve(this.#options);
            await this.release();
            this.#options.log.info({ instance }, "the outbox of a dead peer is published");
        } else if (await this.#lock.claimed()) {
            await this.release();
            this.#options.log.info({ instance }, "a peer is back and gets its outbox");
        }
        return this.released;
    }

    async release(): Promise<void> {
        if (this.released) return;
        this.released = true;
        for (const delivery of this.deliveries) delivery.stop();
        for (const { journal } of this.deliveries) await journal.close();
        await this.#lock.release();
    }

    async #startInOrder(): Promise<void> {
        for (const delivery of this.deliveries) {
            delivery.start();
            await delivery.acknowledged();
        }
    }
}
