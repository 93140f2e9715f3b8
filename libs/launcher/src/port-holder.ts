// Who holds a TCP port, by Linux' /proc: the socket's inode, then the process with that inode among its descriptors.
import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";

/** proc(5), /proc/net/tcp: state 0A is LISTEN. */
const LISTEN = "0A";

/** `nats-server (pid 4711)`, several joined; `undefined`: nobody that can be seen from here. */
export async function portHolder(port: number): Promise<string | undefined> {
    const inodes = new Set([
        ...(await listenersOf("/proc/net/tcp", port)),
        ...(await listenersOf("/proc/net/tcp6", port)),
    ]);
    if (inodes.size === 0) return undefined;
    const holders = [];
    for (const pid of (await list("/proc")).filter((name) => /^\d+$/.test(name))) {
        if (await holdsOne(pid, inodes)) holders.push(`${await commandOf(pid)} (pid ${pid})`);
    }
    return holders.length === 0 ? "a process of another user" : holders.join(", ");
}

/** Inodes of the listening sockets on `port` in one table. */
async function listenersOf(table: string, port: number): Promise<string[]> {
    const hex = port.toString(16).toUpperCase().padStart(4, "0");
    const rows = (await read(table)).split("\n").map((line) => line.trim().split(/\s+/));
    return rows.flatMap(([, local, , state, , , , , , inode]) =>
        local?.endsWith(`:${hex}`) === true && state === LISTEN && inode !== undefined ? [inode] : [],
    );
}

async function holdsOne(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
    for (const descriptor of await list(`/proc/${pid}/fd`)) {
        const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
        const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
        if (inode !== undefined && inodes.has(inode)) return true;
    }
    return false;
}

/** The program and what it was given first, without flags: `node /srv/postern/services/ingress/src/main.ts`. */
async function commandOf(pid: string): Promise<string> {
    const [program = "", ...words] = (await read(`/proc/${pid}/cmdline`)).split("\0");
    const first = words.find((word) => !word.startsWith("-")) ?? "";
    return program === "" ? (await read(`/proc/${pid}/comm`)).trim() : `${basename(program)} ${first}`.trim();
}

// Processes come and go, and those of others are closed to us: what cannot be read is not there.
const list = (path: string): Promise<string[]> => readdir(path).catch(() => []);
const read = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
