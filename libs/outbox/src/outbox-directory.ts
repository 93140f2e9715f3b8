// An instance's outbox on disk:
//   <epoch>/<number>.journal   one directory for each start that has something left
//   epoch                      the highest epoch so far
//   reserve                    room for what must not be refused when the disk is full
//   quarantine/                damaged segments, as they were found
//   lock-<random>, claim       who uses the directory, and who waits for it
import { basename, join } from "node:path";
import { decodeUtf8, encodeUtf8 } from "@postern/bytes";
import { Delivery, type DeliveryPorts } from "./delivery.ts";
import { writeAll, type Disk } from "./disk.ts";
import { DONE_SUFFIX, Journal } from "./journal.ts";
import type { Host } from "./host.ts";
import type { OutboxLog } from "./outbox.ts";
import { recoverEpoch } from "./recovery.ts";
import { giveUpPiece } from "./reserve.ts";
import type { Room } from "./room.ts";

const EPOCH_FILE = "epoch";
export const RESERVE_FILE = "reserve";
const EPOCH_NAME = /^\d{1,16}$/;

export interface DirectoryOptions {
    readonly directory: string;
    /** For a journal that lost its own record of it. */
    readonly identity: { readonly source: string; readonly instance: string };
    readonly segmentBytes: number;
    readonly host: Host;
    readonly room: Room;
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
    const { directory, room, log } = options;
    const { disk } = options.host;
    const names = (await disk.list(directory)).map(({ name }) => name);
    for (const name of names.filter((name) => name.endsWith(DONE_SUFFIX))) {
        await disk.removeTree(join(directory, name));
    }
    const epochs = names.filter((name) => EPOCH_NAME.test(name)).sort((a, b) => Number(a) - Number(b));
    const deliveries: Delivery[] = [];
    let corruptions = 0;
    for (const epoch of epochs) {
        const path = join(directory, epoch);
        const recovered = await recoverEpoch(path, { disk, room, log });
        corruptions += recovered.corruptions;
        const journal = new Journal({
            directory: path,
            owner: recovered.owner ?? { version: 1, ...options.identity, epoch: Number(epoch) },
            segmentBytes: options.segmentBytes,
            disk,
            makeRoom: room.makeRoom,
            onFull: room.onFull,
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
    const newestEpoch = Math.max(0, await readEpoch(disk, directory), ...epochs.map(Number));
    return { deliveries, corruptions, newestEpoch };
}

/** A journal for a new start, whose epoch is on disk before it is used. */
export async function createEpoch(options: DirectoryOptions, epoch: number): Promise<Delivery> {
    const { directory, room } = options;
    const { disk } = options.host;
    const path = join(directory, String(epoch));
    await room.essential(() => writeEpoch(disk, directory, epoch));
    await room.essential(() => disk.makeDirectories(path));
    const journal = new Journal({
        directory: path,
        owner: { version: 1, ...options.identity, epoch },
        segmentBytes: options.segmentBytes,
        disk,
        makeRoom: room.makeRoom,
        onFull: room.onFull,
        segments: [],
        lastIndex: 0,
    });
    return new Delivery({ ...options.delivery, journal }, { index: 0, sequence: 0 }, []);
}

/** The instances below `root` that have something to publish. */
export async function directoriesWithLeftovers(disk: Disk, root: string): Promise<string[]> {
    const found: string[] = [];
    for (const entry of await disk.list(root)) {
        if (!entry.isDirectory) continue;
        const names = await disk.list(join(root, entry.name));
        if (names.some(({ name }) => EPOCH_NAME.test(name))) found.push(join(root, entry.name));
    }
    return found;
}

/** For a lock on a disk that is full: of an outbox that nobody has open. */
export const giveUpRoom = ({ directory, host }: Pick<DirectoryOptions, "directory" | "host">): Promise<boolean> =>
    giveUpPiece(host.disk, join(directory, RESERVE_FILE));

/** Of an instance that will not come back. */
export async function removeReserve({ directory, host: { disk } }: DirectoryOptions): Promise<void> {
    const file = join(directory, RESERVE_FILE);
    if ((await disk.status(file)) !== undefined) await disk.unlink(file);
}

export const instanceOf = (directory: string): string => basename(directory);

/** 0: none yet. */
async function readEpoch(disk: Disk, directory: string): Promise<number> {
    try {
        return Number(decodeUtf8(await disk.read(join(directory, EPOCH_FILE))));
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0; // what every operation of a disk rejects with
        throw error;
    }
}

async function writeEpoch(disk: Disk, directory: string, epoch: number): Promise<void> {
    const temporary = join(directory, `${EPOCH_FILE}.new`);
    const handle = await disk.open(temporary, "w");
    try {
        const text = encodeUtf8(`${epoch}\n`);
        await writeAll(handle, text);
        await handle.datasync();
    } finally {
        await handle.close();
    }
    await disk.rename(temporary, join(directory, EPOCH_FILE));
    await disk.syncDirectory(directory);
}
