// Opening an outbox: the lock, what earlier starts left, and a new epoch.
import { join } from "node:path";
import { DependencyError, PosternError } from "@postern/errors";
import { FileOutbox, type FileOutboxParts } from "./file-outbox.ts";
import { lockDirectory, type DirectoryLock } from "./directory-lock.ts";
import { thisHost, type Host } from "./host.ts";
import type { Outbox, OutboxOptions } from "./outbox.ts";
import { isNoSpace, roomFor } from "./reserve.ts";
import { Room } from "./room.ts";
import { createEpoch, giveUpRoom, readLeftovers, RESERVE_FILE, type DirectoryOptions } from "./outbox-directory.ts";

/** A predecessor that is stopping, or a peer that stands in, may need so long to leave. */
const LOCK_PATIENCE = 15_000;
const TRIM_INTERVAL = 1_000;
const MAX_SEGMENT_SIZE = 4 * 1024 * 1024;
/** Bytes: the ends of several thousand sessions. */
const MAX_RESERVE = 4 * 1024 * 1024;
// Done events are removed a segment at a time: with so many, little room is lost to them.
const SEGMENTS_PER_OUTBOX = 8;

/** What tests replace. */
export interface OutboxInternals {
    readonly host?: Host;
    readonly everySecond?: (task: () => Promise<void>) => () => void;
    readonly lockPatience?: number;
}

/**
 * Opens (or creates) the outbox of this instance, and begins to publish what earlier starts left in it.
 * Rejects with `OUTBOX_LOCKED` when another process uses the directory, with `OUTBOX_NO_ROOM` when its disk is full and nothing
 * is left of what is kept for that, with `OUTBOX_WRITE_FAILED` when nothing can be written there for another reason.  Then it is
 * as it was, and can be opened later.
 */
export const openOutbox = (options: OutboxOptions): Promise<Outbox> => openOutboxWith(options, {});

export async function openOutboxWith(options: OutboxOptions, internals: OutboxInternals): Promise<Outbox> {
    const { host = thisHost, everySecond = everyInterval(TRIM_INTERVAL) } = internals;
    const patience = internals.lockPatience ?? LOCK_PATIENCE;
    const { directory, instance } = options;
    const makeRoom = (): Promise<boolean> => giveUpRoom({ directory, host });
    try {
        const lock = await lockDirectory(directory, instance, { patience, claim: true, makeRoom }, host);
        return await openLocked(options, host, lock, everySecond);
    } catch (error) {
        throw await unusable(error, options, host);
    }
}

/** Releases the lock when that fails. */
async function openLocked(
    options: OutboxOptions,
    host: Host,
    lock: DirectoryLock,
    everySecond: FileOutboxParts["everySecond"],
): Promise<Outbox> {
    try {
        const file = join(options.directory, RESERVE_FILE);
        const room = await Room.open(host.disk, file, reserveSize(options), options.log);
        const own = directoryOptions(options, host, room);
        const { deliveries, corruptions, newestEpoch } = await readLeftovers(own);
        const current = await createEpoch(own, Math.max(options.epoch, newestEpoch + 1));
        return new FileOutbox({
            options,
            directory: own,
            lock,
            earlier: deliveries,
            current,
            corruptions,
            room,
            everySecond,
        });
    } catch (error) {
        await lock.release();
        throw error;
    }
}

const reserveSize = ({ maxBytes, reservedBytes }: OutboxOptions): number =>
    Math.min(MAX_RESERVE, reservedBytes ?? Math.floor(maxBytes / 4));

async function unusable(cause: unknown, options: OutboxOptions, { disk }: Host): Promise<unknown> {
    if (cause instanceof PosternError) return cause;
    const { directory } = options;
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (!isNoSpace(cause)) return new DependencyError("OUTBOX_WRITE_FAILED", `${directory}: ${reason}`, { cause });
    // Not even the directory need be there.
    const free = await disk.free(directory).catch(() => 0);
    const needed = roomFor(reserveSize(options));
    const message = `the file system of ${directory} has ${free} bytes free and needs ${needed}; what waits in it is kept: ${reason}`;
    return new DependencyError("OUTBOX_NO_ROOM", message, { cause });
}

/** Does not keep the process alive. */
export function everyInterval(milliseconds: number): NonNullable<OutboxInternals["everySecond"]> {
    return (task) => {
        const timer = setInterval(() => void task(), milliseconds);
        timer.unref();
        return () => clearInterval(timer);
    };
}

function directoryOptions(options: OutboxOptions, host: Host, room: Room): DirectoryOptions {
    const { tenant, service, instance } = options;
    return {
        directory: options.directory,
        identity: { source: `postern/${tenant}/${service}/${instance}`, instance },
        segmentBytes: Math.min(MAX_SEGMENT_SIZE, Math.floor(options.maxBytes / SEGMENTS_PER_OUTBOX)),
        host,
        room,
        log: options.log,
        delivery: {
            stream: options.stream,
            settle: options.settle,
            log: options.log,
            random: options.random ?? Math.random,
            elapsed: () => host.elapsed(),
            retention: 2 * options.streamSyncInterval,
            order: options.order ?? "source",
        },
    };
}
