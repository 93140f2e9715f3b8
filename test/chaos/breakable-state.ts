// A state directory whose disks can be filled, and a clock that can be set: what a stage needs for the whole list of faults.
import { mountSmallDisk, type SmallDisk } from "@postern/testkit";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { WallClock } from "../outage/wall-clock.ts";

const MEBIBYTE = 2 ** 20;
/** Below the state directory, in bytes.  NATS wants room for what its streams may grow to. */
const DISKS = { outbox: 512 * MEBIBYTE, audit: 256 * MEBIBYTE, "nats/jetstream": 4_096 * MEBIBYTE } as const;

export type DiskName = keyof typeof DISKS;

export class BreakableState implements AsyncDisposable {
    readonly clock: WallClock;
    readonly #disks = new Map<DiskName, SmallDisk>();

    /** `directory` exists, and is not the state directory. */
    constructor(directory: string) {
        this.clock = new WallClock(directory);
    }

    /** Puts a disk under each part of `state`; while nothing runs there. */
    async mount(state: string): Promise<void> {
        const disks = Object.entries(DISKS) as [DiskName, number][]; // the keys that it is typed with
        for (const [name, size] of disks) {
            const place = path.join(state, name);
            await mkdir(place, { recursive: true });
            this.#disks.set(name, await mountSmallDisk(size, place));
        }
    }

    disk(name: DiskName): SmallDisk {
        const disk = this.#disks.get(name);
        if (disk === undefined) throw new Error(`no disk under ${name}`);
        return disk;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        for (const disk of this.#disks.values()) await disk[Symbol.asyncDispose]();
    }
}
