// An instance's outbox on disk:
//   <epoch>/<number>.journal   one directory for each start that has something left
//   epoch                      the highest epoch so far
//   quarantine/                damaged segments, as they were found
//   lock-<random>, claim       who uses the directory, and who waits for it
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { Delivery, type DeliveryPorts } from "./delivery.ts";
import { DONE_SUFFIX, Journal } from "./journal.ts";
import type { OutboxLog } from "./outbox.ts";
import { recoverEpoch } from "./recovery.ts";
import { createSegment, syncDirectory, type OpenSegment } from "./segment-file.ts";

const EPOCH_FILE = "epoch";
const EPOCH_NAME = /^\d{1,16}$/;

export interface DirectoryOptions {
    readonly directory: string;
    /** For a journal that lost its own record of it. */
    readonly identity: { readonly source: string; readonly instance: string };
    readonly segmentBytes: number;
    readonly openSegment?: OpenSegment;
    readonly delivery: Omit<DeliveryPorts, "journal">;
    readonly log: OutboxLog;
}

export interface Leftovers {
    /** Oldest first, not started. */
    readonly deliveries: readonly Delivery[];
    readonly corruptions: number;
    readonly newestEpoch: number;
}

/** What earlier starts left, ready to be published.  Needs the directory's lock. */
export async function readLeftovers(options: DirectoryOptions): Promise<Leftovers> {
    const { directory, log } = options;
    const names = await readdir(directory);
    for (const name of names.filter((name) => name.endsWith(DONE_SUFFIX))) {
        await rm(join(directory, name), { recursive: true });
    }
    const epochs = names.filter((name) => EPOCH_NAME.test(name)).sort((a, b) => Number(a) - Number(b));
    const deliveries: Delivery[] = [];
    let corruptions = 0;
    for (const epoch of epochs) {
        const path = join(directory, epoch);
        const recovered = await recoverEpoch(path, log);
        corruptions += recovered.corruptions;
        const journal = new Journal({
            directory: path,
            owner: recovered.owner ?? { version: 1, ...options.identity, epoch: Number(epoch) },
            segmentBytes: options.segmentBytes,
            openSegment: options.openSegment ?? createSegment,
            segments: recovered.segments,
            lastIndex: recovered.lastIndex,
        });
        if (recovered.entries.length === 0) {
            await journal.remove();
            continue;
        }
        log.info(
            { source: journal.owner.source, epoch: journal.owner.epoch, events: recovered.entries.length },
            "events are left of an earlier start",
        );
        deliveries.push(new Delivery({ ...options.delivery, journal }, recovered.cursor, recovered.entries));
    }
    const newestEpoch = Math.max(0, Number(await readEpoch(directory)), ...epochs.map(Number));
    return { deliveries, corruptions, newestEpoch };
}

/** A journal for a new start, whose epoch is on disk before it is used. */
export async function createEpoch(options: DirectoryOptions, epoch: number): Promise<Delivery> {
    const path = join(options.directory, String(epoch));
    await writeEpoch(options.directory, epoch);
    await mkdir(path, { mode: 0o700 });
    await syncDirectory(options.directory);
    const journal = new Journal({
        directory: path,
        owner: { version: 1, ...options.identity, epoch },
        segmentBytes: options.segmentBytes,
        openSegment: options.openSegment ?? createSegment,
        segments: [],
        lastIndex: 0,
    });
    return new Delivery({ ...options.delivery, journal }, { index: 0, sequence: 0 }, []);
}

/** The instances below `root` that have something to publish. */
export async function directoriesWithLeftovers(root: string): Promise<string[]> {
    const found: string[] = [];
    for (const entry of await readdir(root, { withFileTypes: true })) {
        if (!entry.isDirectory()) continue;
        const names = await readdir(join(root, entry.name));
        if (names.some((name) => EPOCH_NAME.test(name))) found.push(join(root, entry.name));
    }
    return found;
}

export const instanceOf = (directory: string): string => basename(directory);

async function readEpoch(directory: string): Promise<string> {
    return readFile(join(directory, EPOCH_FILE), "latin1").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "0";
        throw error;
    });
}

async function writeEpoch(directory: string, epoch: number): Promise<void> {
    const temporary = join(directory, `${EPOCH_FILE}.new`);
    const handle = await open(temporary, "w", 0o600);
    try {
        await handle.writeFile(`${epoch}\n`);
        await handle.sync();
    } finally {
        await handle.close();
    }
    await rename(temporary, join(directory, EPOCH_FILE));
    await syncDirectory(directory);
}
