// Which processes a server has made, from /proc: servers that fork a worker for each client do not say which.
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessIdentity {
    readonly pid: number;
    readonly parent: number;
    /** `comm` of proc(5): at most 15 characters. */
    readonly name: string;
}

/** Of the text of /proc/<pid>/stat. */
export function parseIdentity(stat: string): ProcessIdentity {
    const end = stat.lastIndexOf(")");
    return {
        pid: Number(stat.slice(0, stat.indexOf(" "))),
        name: stat.slice(stat.indexOf("(") + 1, end),
        parent: Number(stat.slice(end + 2).split(" ")[1]),
    };
}

/** The children of `parent` that have this name, oldest first. */
export function childrenNamed(parent: number, name: string): number[] {
    return readdirSync("/proc")
        .filter((entry) => /^\d+$/.test(entry))
        .flatMap((entry) => identityOf(entry) ?? [])
        .filter((identity) => identity.parent === parent && identity.name === name)
        .map(({ pid }) => pid)
        .sort((a, b) => a - b);
}

function identityOf(pid: string): ProcessIdentity | undefined {
    try {
        return parseIdentity(readFileSync(`/proc/${pid}/stat`, "latin1"));
    } catch {
        // It has gone since the directory was listed.
        return undefined;
    }
}
