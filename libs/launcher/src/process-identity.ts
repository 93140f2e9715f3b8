// Telling a process from a later one with the same pid.
import { readFileSync } from "node:fs";

export interface ProcessIdentity {
    readonly pid: number;
    /** Linux: start time in clock ticks since boot (proc(5), /proc/<pid>/stat field 22); elsewhere always "". */
    readonly started: string;
}

/** `undefined`: there is no such process (any more). */
export function identify(pid: number): ProcessIdentity | undefined {
    try {
        process.kill(pid, 0);
    } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return undefined;
    }
    if (process.platform !== "linux") return { pid, started: "" };
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        // The second field is the command in parentheses, which may itself hold spaces and parentheses.
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        // A zombie has ended and its parent has not looked yet, unless another of its threads (field 20) still gives
        // back the memory: until then it also holds its files and ports.
        const ended = fields[0] === "Z" && Number(fields[17]) <= 1;
        return ended ? undefined : { pid, started: fields[19] ?? "" };
    } catch {
        return undefined;
    }
}

export const isRunning = ({ pid, started }: ProcessIdentity): boolean => identify(pid)?.started === started;
