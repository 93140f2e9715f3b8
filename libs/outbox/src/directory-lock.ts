// One process at a time in a directory.
//
// A candidate first puts down a file of its own and then looks for others: of two candidates at least one sees the other.  A file
// whose process is gone counts for nothing.  Processes of another container or host cannot be looked up, so every holder renews
// its file, and one that was not renewed for a while is taken for dead.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { decodeUtf8, encodeUtf8 } from "@postern/bytes";
import { DependencyError } from "@postern/errors";
import { z } from "zod";
import { writeAll } from "./disk.ts";
import { thisHost, type Host } from "./host.ts";
import { isNoSpace } from "./reserve.ts";

const LOCK_NAME = /^lock-[0-9a-f-]{36}$/;
const CLAIM = "claim";
const RENEWAL = 2_000;
const DEAD_AFTER = 10_000;
/** Within so many milliseconds a renewal is due, and seen. */
const RENEWAL_SEEN = 2 * RENEWAL + 1_000;
const RETRY_PAUSE = 150;

const Holder = z.object({ pid: z.int().positive(), startTime: z.string(), namespace: z.string(), holder: z.string() });
type Holder = z.infer<typeof Holder>;

export interface DirectoryLock {
    /** The owner of the directory has come and asks for it. */
    claimed(): Promise<boolean>;
    release(): Promise<void>;
}

export interface LockOptions {
    /** Milliseconds to wait for another live process to leave. */
    readonly patience: number;
    /** A holder that only stands in is asked to leave. */
    readonly claim: boolean;
    /** The disk is too full for a lock, and nobody has one: makes room in the directory; false: there is none to make. */
    readonly makeRoom?: () => Promise<boolean>;
}

/** Rejects with `OUTBOX_LOCKED` when another live process holds the directory for longer than it is waited. */
export async function lockDirectory(
    directory: string,
    holder: string,
    { patience, claim, makeRoom = async () => false }: LockOptions,
    host: Host = thisHost,
): Promise<DirectoryLock> {
    await host.disk.makeDirectories(directory);
    const deadline = host.elapsed() + patience;
    let claiming = false;
    try {
        for (;;) {
            const other = await tryLock(directory, holder, makeRoom, host);
            if (typeof other !== "string") return other;
            if (host.elapsed() >= deadline) throw new DependencyError("OUTBOX_LOCKED", `${directory}: ${other}`);
            if (claim) claiming = await putClaim(directory, host);
            await host.pause(RETRY_PAUSE * (0.5 + Math.random()));
        }
    } finally {
        if (claiming) await unlinkIfThere(join(directory, CLAIM), host);
    }
}

/** Whether the owner of `directory` is waiting for it. */
export async function isClaimed(directory: string, host: Host = thisHost): Promise<boolean> {
    const age = await ageOf(join(directory, CLAIM), host);
    return age !== undefined && age < DEAD_AFTER;
}

/** The lock, or a sentence about who has it. */
async function tryLock(
    directory: string,
    holder: string,
    makeRoom: () => Promise<boolean>,
    host: Host,
): Promise<DirectoryLock | string> {
    const { pid } = host;
    const own = `lock-${randomUUID()}`;
    const file = join(directory, own);
    const [startTime, namespace] = [(await host.startTimeOf(pid)) ?? "unknown", await host.namespace()];
    const content = encodeUtf8(JSON.stringify({ pid, startTime, namespace, holder } satisfies Holder));
    try {
        await putLock(file, content, host);
    } catch (error) {
        if (!isNoSpace(error)) throw error;
        // The room in there is a live holder's.
        const other = await liveOther(directory, own, namespace, host);
        if (other !== undefined) return other;
        if (!(await makeRoom())) throw error;
        await putLock(file, content, host);
    }
    const other = await liveOther(directory, own, namespace, host);
    if (other === undefined) return new HeldLock(directory, file, host);
    await unlinkIfThere(file, host);
    return other;
}

/** Leaves nothing behind when it fails: others would wait to see whether somebody is still writing it. */
async function putLock(file: string, content: Uint8Array, host: Host): Promise<void> {
    try {
        const handle = await host.disk.open(file, "wx");
        try {
            await writeAll(handle, content);
        } finally {
            await handle.close();
        }
    } catch (error) {
        await unlinkIfThere(file, host);
        throw error;
    }
}

/** A sentence about who else has it; `undefined`: nobody, and the files of those who are gone are removed. */
async function liveOther(directory: string, own: string, namespace: string, host: Host): Promise<string | undefined> {
    const names = (await host.disk.list(directory)).map(({ name }) => name);
    const others = names.filter((name) => LOCK_NAME.test(name) && name !== own);
    for (const name of others) {
        const other = await liveHolder(join(directory, name), namespace, host);
        if (other !== undefined) return other;
    }
    for (const name of others) await unlinkIfThere(join(directory, name), host);
    return undefined;
}

class HeldLock implements DirectoryLock {
    readonly #directory: string;
    readonly #file: string;
    readonly #host: Host;
    readonly #stopRenewal: () => void;

    constructor(directory: string, file: string, host: Host) {
        this.#directory = directory;
        this.#file = file;
        this.#host = host;
        this.#stopRenewal = host.repeat(RENEWAL, () => {
            // A directory that went away takes the lock with it.
            host.disk.touch(file).catch(() => this.#stopRenewal());
        });
    }

    claimed(): Promise<boolean> {
        return isClaimed(this.#directory, this.#host);
    }

    async release(): Promise<void> {
        this.#stopRenewal();
        await unlinkIfThere(this.#file, this.#host);
    }
}

async function liveHolder(file: string, namespace: string, host: Host): Promise<string | undefined> {
    const age = await ageOf(file, host);
    if (age === undefined) return undefined;
    const isFresh = (): Promise<boolean> => isRenewed(file, age, host);
    const text = await host.disk.read(file).then(decodeUtf8, () => "");
    const holder = parseHolder(text);
    // Created and not yet written, or left so by a crash.
    if (holder === undefined) return (await isFresh()) ? "another process is about to lock it" : undefined;
    const sentence = `process ${holder.pid} (${holder.holder}) uses it`;
    if (holder.namespace !== namespace)
        return (await isFresh()) ? `${sentence}, in another container or on another host` : undefined;
    return (await host.startTimeOf(holder.pid)) === holder.startTime ? sentence : undefined;
}

/** A file that looks old, or is from the future, may only show that the wall clock jumped: a holder that lives renews it soon. */
async function isRenewed(file: string, age: number, host: Host): Promise<boolean> {
    if (Math.abs(age) < DEAD_AFTER) return true;
    const before = await host.disk.status(file);
    await host.pause(RENEWAL_SEEN);
    return (await host.disk.status(file))?.modifiedAt !== before?.modifiedAt;
}

function parseHolder(text: string): Holder | undefined {
    try {
        return Holder.parse(JSON.parse(text));
    } catch (error) {
        if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
        throw error;
    }
}

async function putClaim(directory: string, { disk }: Host): Promise<boolean> {
    const file = join(directory, CLAIM);
    await (await disk.open(file, "w")).close();
    await disk.touch(file);
    return true;
}

async function ageOf(file: string, host: Host): Promise<number | undefined> {
    const found = await host.disk.status(file);
    return found === undefined ? undefined : host.now() - found.modifiedAt;
}

async function unlinkIfThere(file: string, { disk }: Host): Promise<void> {
    await disk.unlink(file).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
    });
}
