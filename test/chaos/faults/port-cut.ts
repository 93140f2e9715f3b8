// Ports of the host that nothing gets through to, for a time.
import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Packets with these ports are dropped (`drop`), or answered by a reset as if nobody listened (`reject with tcp reset`). */
export async function cutPorts(ports: readonly number[], verdict: string, milliseconds: number): Promise<void> {
    const set = `{ ${ports.join(", ")} }`;
    await run("nft", [
        `add table ip chaos; add chain ip chaos cut { type filter hook output priority 0; }; ` +
            `add rule ip chaos cut tcp dport ${set} ${verdict}; add rule ip chaos cut tcp sport ${set} ${verdict}`,
    ]);
    try {
        await delay(milliseconds);
    } finally {
        await run("nft", ["delete table ip chaos"]);
    }
}
