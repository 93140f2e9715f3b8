// One process at a time in a directory.
//
// A candidate first puts down a file of its own and then looks for others: of two candidates at least one sees the other.  A file
// whose process is gone counts for nothing.  Processes of another container or host cannot be looked up, so every holder renews
// its file, and one that was not renewed for a while is taken for dead.
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, readlink, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DependencyError } from "@postern/errors";
import { z } from "zod";

const LOCK_NAME = /^lock-[0-9a-f-]{36}$/;
const CLAIM = "claim";
const RENEWAL = 2_000;
const DEAD_AFTER = 10_000;
const RETRY_PAUSE = 150;

const Holder = z.object({ pid: z.int().positive(), startTime: z.string(), namespace: z.string(), holder: z.string() });
type Holder = z.infer<typeof Holder>;

export interface DirectoryLock {
    /** The owner of the directory has come and asks for it. */
    claimed(): Promise<boolean>;
    release(): Promise<void>;
}

/**
 * Rejects with `OUTBOX_LOCKED` when another live process holds the directory for longer than `patience` milliseconds.
 * With `claim`, a holder that only stands in is asked to leave.
 */
export async function lockDirectory(
    directory: string,
    holder: string,
    { patience, claim }: { readonly patience: number; readonly claim: boolean },
): Promise<DirectoryLock> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const deadline = performance.now() + patience;
    let claiming = false;
    try {
        for (;;) {
            const other = await tryLock(directory, holder);
            if (typeof other !== "string") return other;
            if (performance.now() >= deadline) throw new DependencyError("OUTBOX_LOCKED", `${directory}: ${other}`);
            if (claim) claiming = await putClaim(directory);
            await delay(RETRY_PAUSE * (0.5 + Math.random()));
        }
    } finally {
        if (claiming) await unlinkIfThere(join(directory, CLAIM));
    }
}

/** Whether the owner of `directory` is waiting for it. */
export async function isClaimed(directory: string): Promise<boolean> {
    const age = await ageOf(join(directory, CLAIM));
    return age !== undefined && age < DEAD_AFTER;
}

/** The lock, or a sentence about who has it. */
async function tryLock(directory: string, holder: string): Promise<DirectoryLock | string> {
    const own = `lock-${randomUUID()}`;
    const file = join(directory, own);
    const [startTime, namespace] = [(await startTimeOf(process.pid)) ?? "unknown", await ownNamespace()];
    await writeFile(file, JSON.stringify({ pid: process.pid, startTime, namespace, holder } satisfies Holder), {
        flag: "wx",
        mode: 0o600,
    });
    const others = (await readdir(directory)).filter((name) => LOCK_NAME.test(name) && name !== own);
    for (const name of others) {
        const other = await liveHolder(join(directory, name), namespace);
        if (other !== undefined) {
            await unlinkIfThere(file);
            return other;
        }
    }
    for (const name of others) await unlinkIfThere(join(directory, name));
    return new HeldLock(directory, file);
}

class HeldLock implements DirectoryLock {
    readonly #directory: string;
    readonly #file: string;
    readonly #renewal: NodeJS.Timeout;

    constructor(directory: string, file: string) {
        this.#directory = directory;
        this.#file = file;
        this.#renewal = setInterval(() => {
            const now = new Date();
            // A directory that went away takes the lock with it.
            utimes(file, now, now).catch(() => clearInterval(this.#renewal));
        }, RENEWAL);
        this.#renewal.unref();
    }

    claimed(): Promise<boolean> {
        return isClaimed(this.#directory);
    }

    async release(): Promise<void> {
        clearInterval(this.#renewal);
        await unlinkIfThere(this.#file);
    }
}

async function liveHolder(file: string, namespace: string): Promise<string | undefined> {
    const age = await ageOf(file);
    if (age === undefined) return undefined;
    const text = await readFile(file, "utf8").catch(() => "");
    const holder = parseHolder(text);
    // Created and not yet written, or left so by a crash.
    if (holder === undefined) return age < DEAD_AFTER ? "another process is about to lock it" : undefined;
    const sentence = `process ${holder.pid} (${holder.holder}) uses it`;
    if (holder.namespace !== namespace)
        return age < DEAD_AFTER ? `${sentence}, in another container or on another host` : undefined;
    return (await startTimeOf(holder.pid)) === holder.startTime ? sentence : undefined;
}

function parseHolder(text: string): Holder | undefined {
    try {
        return Holder.parse(JSON.parse(text));
    } catch (error) {
        if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
        throw error;
    }
}

/** Clock ticks from boot to the start of a process, field 22 of proc_pid_stat(5); `undefined`: there is no such process. */
async function startTimeOf(pid: number): Promise<string | undefined> {
    const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
    // The name in parentheses may hold blanks and parentheses; field 3 follows the last one.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}

/** Process ids mean the same only within one PID namespace of one boot. */
async function ownNamespace(): Promise<string> {
    const [namespace, boot] = await Promise.all([
        readlink("/proc/self/ns/pid").catch(() => ""),
        readFile("/proc/sys/kernel/random/boot_id", "latin1").catch(() => ""),
    ]);
    return `${namespace} ${boot.trim()}`;
}

async function putClaim(directory: string): Promise<boolean> {
    const handle = await open(join(directory, CLAIM), "w", 0o600);
    const now = new Date();
    await handle.utimes(now, now);
    await handle.close();
    return true;
}

async function ageOf(file: string): Promise<number | undefined> {
    const stats = await stat(file).catch(() => undefined);
    return stats === undefined ? undefined : Date.now() - stats.mtimeMs;
}

async function unlinkIfThere(file: string): Promise<void> {
    await unlink(file).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
    });
}
