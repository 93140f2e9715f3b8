// The machine under an outbox: its disk, its clocks, and the processes that may use the same directory.
import { readFile, readlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { realDisk, type Disk } from "./disk.ts";

export interface Host {
    readonly disk: Disk;
    /** Wall-clock milliseconds. */
    now(): number;
    /** Monotonic milliseconds. */
    elapsed(): number;
    pause(milliseconds: number): Promise<void>;
    /** Until the result is called; does not keep the process alive. */
    repeat(milliseconds: number, task: () => void): () => void;
    readonly pid: number;
    /** Clock ticks from boot to the start of a process; `undefined`: there is no such process. */
    startTimeOf(pid: number): Promise<string | undefined>;
    /** Process ids mean the same only within one of these. */
    namespace(): Promise<string>;
}

export const thisHost: Host = {
    disk: realDisk,
    now: () => Date.now(),
    elapsed: () => performance.now(),
    pause: (milliseconds) => delay(milliseconds),
    repeat(milliseconds, task) {
        const timer = setInterval(task, milliseconds);
        timer.unref();
        return () => clearInterval(timer);
    },
    pid: process.pid,
    startTimeOf,
    namespace: ownNamespace,
};

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
