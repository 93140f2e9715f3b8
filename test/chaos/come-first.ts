// In life clients are other hosts, and nothing that happens here keeps their replies waiting.
import { existsSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";

const AUTOGROUP = "/proc/self/autogroup";

/** Gives this process the CPU before everything else on this host.  What it starts later has it too.  Takes root. */
export function comeFirst(): void {
    const { PRIORITY_HIGH } = constants.priority;
    setPriority(PRIORITY_HIGH);
    // Where the kernel makes a group of each session, priorities count within it, and the group has one of its own: sched(7).
    if (existsSync(AUTOGROUP)) writeFileSync(AUTOGROUP, String(PRIORITY_HIGH));
}
