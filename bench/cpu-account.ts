// CPU time that was used between two moments: by groups of processes, and by the whole host.
import { readFileSync } from "node:fs";
import { InvariantError } from "@postern/errors";

/** USER_HZ, in which proc(5) counts, on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

/** CPU-seconds. */
export interface HostTime {
    /** Everything but idle and stolen time, interrupts included. */
    readonly busy: number;
    /** Of it: soft interrupts, where the network's work is done that no process is charged for. */
    readonly softirq: number;
}

export interface CpuUse<Group extends string> {
    readonly groups: Readonly<Record<Group, number>>;
    readonly host: HostTime;
    /** Wall-clock seconds. */
    readonly elapsed: number;
}

/** User and system time of all threads, of the text of /proc/<pid>/stat, in seconds. */
export function parseProcessTime(stat: string): number {
    // The name in brackets may hold blanks and brackets: fields are counted behind the last of them.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    if (Number.isNaN(ticks)) throw new InvariantError(`a process's times in ${JSON.stringify(stat)}`);
    return ticks / TICKS_A_SECOND;
}

/** The first line of /proc/stat: `cpu user nice system idle iowait irq softirq steal guest guest_nice`. */
export function parseHostTime(stat: string): HostTime {
    const line = /^cpu +(.*)$/m.exec(stat)?.[1];
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (line ?? "").split(" ").map(Number);
    const busy = user + nice + system + irq + softirq;
    if (line === undefined || Number.isNaN(busy)) throw new InvariantError("the host's times in /proc/stat");
    return { busy: busy / TICKS_A_SECOND, softirq: softirq / TICKS_A_SECOND };
}

/** Throws ENOENT or ESRCH for a process that has gone. */
export const processTime = (pid: number): number => parseProcessTime(readFileSync(`/proc/${pid}/stat`, "latin1"));

const hostTime = (): HostTime => parseHostTime(readFileSync("/proc/stat", "latin1"));

/** Begins to count; the function that it returns says what has been used since.  The processes must outlive it. */
export function startCpuAccount<Group extends string>(
    groups: Readonly<Record<Group, readonly number[]>>,
): () => CpuUse<Group> {
    const entries = Object.entries<readonly number[]>(groups);
    const timesNow = (): Map<string, number> =>
        new Map(entries.map(([group, pids]) => [group, pids.reduce((sum, pid) => sum + processTime(pid), 0)]));
    const before = { begun: performance.now(), host: hostTime(), times: timesNow() };
    return () => {
        const now = { host: hostTime(), times: timesNow() };
        const used = entries.map(([group]) => [group, (now.times.get(group) ?? 0) - (before.times.get(group) ?? 0)]);
        return {
            groups: Object.fromEntries(used) as Record<Group, number>, // of the same keys
            host: {
                busy: now.host.busy - before.host.busy,
                softirq: now.host.softirq - before.host.softirq,
            },
            elapsed: (performance.now() - before.begun) / 1_000,
        };
    };
}

/** Resident memory in bytes, of the text of /proc/<pid>/status. */
export function parseResident(status: string): number {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kibibytes === undefined) throw new InvariantError("VmRSS in a process's status");
    return Number(kibibytes) * 1024;
}

export const residentBytes = (pid: number): number => parseResident(readFileSync(`/proc/${pid}/status`, "latin1"));
