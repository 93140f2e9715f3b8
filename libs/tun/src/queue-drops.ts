// Packets that the kernel dropped because the device's queue was full, from /proc/net/dev (proc_pid_net(5)).
import { readFileSync } from "node:fs";

/** Numbers after the name: eight of receiving, then bytes, packets, errors and drops of transmitting. */
const TRANSMIT_DROPS = 11;

/** The count for the interface `name` of this process's network namespace; 0 where there is no such interface. */
export function readQueueDrops(name: string): number {
    return parseQueueDrops(readFileSync("/proc/net/dev", "latin1"), name);
}

/** As `readQueueDrops`, from the file's text. */
export function parseQueueDrops(text: string, name: string): number {
    const line = text.split("\n").find((candidate) => candidate.trimStart().startsWith(`${name}:`));
    return Number(
        line
            ?.slice(line.indexOf(":") + 1)
            .trim()
            .split(/\s+/)[TRANSMIT_DROPS] ?? 0,
    );
}
