// A small process beside the launcher: when the launcher is killed, it sees to it that nothing stays behind.
// Services end by themselves when their channel to the launcher closes; NATS has none, and is needed until they are done.
import { unlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { isRunning, type ProcessIdentity } from "./process-identity.ts";

/** What the launcher tells its guard after every change. */
export interface GuardOrders {
    readonly services: readonly ProcessIdentity[];
    readonly nats: readonly ProcessIdentity[];
    /** Milliseconds that services may take. */
    readonly patience: number;
    /** Files that say that the launcher runs. */
    readonly files: readonly string[];
}

const NATS_PATIENCE = 10_000;
/** A killed process ends as soon as the kernel has taken its memory back; one that hangs in a device may never. */
const KILL_PATIENCE = 10_000;
const INTERVAL = 100;

let orders: GuardOrders = { services: [], nats: [], patience: 0, files: [] };

process.on("message", (message) => (orders = message as GuardOrders)); // the launcher alone has this channel
// Whoever asks this process to end asks the launcher too, which still needs it.
process.on("SIGINT", () => undefined);
process.once("disconnect", () => void cleanUp(orders));

async function cleanUp({ services, nats, patience, files }: GuardOrders): Promise<void> {
    for (const file of files) remove(file);
    await endOf(services, patience);
    for (const one of services) signal(one, "SIGKILL");
    await endOf(services, KILL_PATIENCE);
    for (const one of nats) signal(one, "SIGTERM");
    await endOf(nats, NATS_PATIENCE);
    for (const one of nats) signal(one, "SIGKILL");
    process.exit(0);
}

async function endOf(processes: readonly ProcessIdentity[], milliseconds: number): Promise<void> {
    const deadline = performance.now() + milliseconds;
    while (processes.some(isRunning) && performance.now() < deadline) await delay(INTERVAL);
}

function signal(one: ProcessIdentity, name: "SIGTERM" | "SIGKILL"): void {
    if (isRunning(one)) process.kill(one.pid, name);
}

function remove(file: string): void {
    try {
        unlinkSync(file);
    } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
}
