// In life clients are other hosts, and nothing that happens here keeps their replies waiting.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

const { PRIORITY_HIGH } = constants.priority;
/** Where the kernel makes a group of each session, priorities count within it, and the group has one of its own: sched(7). */
const AUTOGROUP = "/proc/self/autogroup";

/** Gives this process, and what it starts, the CPU before everything else on this host until it is disposed of.  Takes root. */
export function comeFirst(): Disposable {
    const before = { own: getPriority(), group: groupPriority() };
    setPriority(PRIORITY_HIGH);
    if (before.group !== undefined) writeFileSync(AUTOGROUP, String(PRIORITY_HIGH));
    return {
        [Symbol.dispose]: () => {
            setPriority(before.own);
            if (before.group !== undefined) writeFileSync(AUTOGROUP, before.group);
        },
    };
}

/** `undefined` where there are no such groups. */
function groupPriority(): string | undefined {
    if (!existsSync(AUTOGROUP)) return undefined;
    return /nice (-?\d+)/u.exec(readFileSync(AUTOGROUP, "utf8"))?.[1];
}
