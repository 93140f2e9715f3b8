// Opening an outbox: the lock, what earlier starts left, and a new epoch.
import { join } from "node:path";
import { DependencyError, PosternError } from "@postern/errors";
import { FileOutbox } from "./file-outbox.ts";
import { lockDirectory } from "./directory-lock.ts";
import { thisHost, type Host } from "./host.ts";
import type { Outbox, OutboxOptions } from "./outbox.ts";
import { Room } from "./room.ts";
import { createEpoch, readLeftovers, RESERVE_FILE, type DirectoryOptions } from "./outbox-directory.ts";

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
 * Rejects with `OUTBOX_LOCKED` when another process uses the directory, with `OUTBOX_WRITE_FAILED` when nothing can be written
 * there.
 */
export const openOutbox = (options: OutboxOptions): Promise<Outbox> => openOutboxWith(options, {});

export async function openOutboxWith(options: OutboxOptions, internals: OutboxInternals): Promise<Outbox> {
    const { host = thisHost, everySecond = everyInterval(TRIM_INTERVAL) } = internals;
    const patience = internals.lockPatience ?? LOCK_PATIENCE;
    const lock = await orUnusable(
        lockDirectory(options.directory, options.instance, { patience, claim: true }, host),
        options.directory,
    );
    try {
        const room = await orUnusable(openRoom(options, host), options.directory);
        const own = { ...directoryOptions(options, host), room };
        const { deliveries, corruptions, newestEpoch } = await orUnusable(readLeftovers(own), options.directory);
        const epoch = Math.max(options.epoch, newestEpoch + 1);
        const current = await orUnusable(createEpoch(own, epoch), options.directory);
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

function openRoom({ directory, maxBytes, reservedBytes, log }: OutboxOptions, { disk }: Host): Promise<Room> {
    const size = Math.min(MAX_RESERVE, reservedBytes ?? Math.floor(maxBytes / 4));
    return Room.open(disk, join(directory, RESERVE_FILE), size, log);
}

async function orUnusable<T>(work: Promise<T>, directory: string): Promise<T> {
    try {
        return await work;
    } catch (cause) {
        if (cause instanceof PosternError) throw cause;
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new DependencyError("OUTBOX_WRITE_FAILED", `${directory}: ${reason}`, { cause });
    }
}

/** Does not keep the process alive. */
export function everyInterval(milliseconds: number): NonNullable<OutboxInternals["everySecond"]> {
    return (task) => {
        const timer = setInterval(() => void task(), milliseconds);
        timer.unref();
        return () => clearInterval(timer);
    };
}

function directoryOptions(options: OutboxOptions, host: Host): DirectoryOptions {
    const { tenant, service, instance } = options;
    return {
        directory: options.directory,
        identity: { source: `postern/${tenant}/${service}/${instance}`, instance },
        segmentBytes: Math.min(MAX_SEGMENT_SIZE, Math.floor(options.maxBytes / SEGMENTS_PER_OUTBOX)),
        host,
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
