// NATS killed, hung, out of reach, and back without its store.
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Stage } from "../stage.ts";
import { type Fault, hang, kill, nobody, workersClients } from "./fault.ts";
import { cutPorts } from "./port-cut.ts";

/** How long an installation goes without buckets and streams before somebody makes them anew. */
const WITHOUT_BUCKETS = 8_000;
const SETTLE_WITHIN = 60_000;

const refuses =
    (milliseconds: number) =>
    (stage: Stage): Promise<void> =>
        cutPorts([stage.natsPort], "reject with tcp reset", milliseconds);

/** Everything that was only in the store is gone: local users are given again, as an administrator would. */
async function loseStore(stage: Stage): Promise<void> {
    // What is in the stream and in no audit log yet goes with it.
    await stage.compareAccounts(SETTLE_WITHIN);
    const pid = stage.pid("nats");
    process.kill(pid, "SIGSTOP");
    try {
        const store = path.join(stage.postern.state, "nats/jetstream");
        for (const entry of await readdir(store)) await rm(path.join(store, entry), { recursive: true });
    } finally {
        process.kill(pid, "SIGKILL");
    }
    await stage.untilReplaced([pid]);
    await delay(WITHOUT_BUCKETS);
    await stage.postern.postern("bus", "apply");
    await stage.addUsers();
}

export const BUS_OUTAGES: readonly Fault[] = [
    { name: "NATS killed", isBrief: true, costs: nobody, inject: kill(["nats"]) },
    { name: "NATS hung for 20 s", costs: nobody, inject: hang(20_000, "nats") },
    { name: "NATS gone for 20 s", isBrief: true, costs: nobody, inject: refuses(20_000) },
    { name: "NATS gone for 5 min", costs: nobody, inject: refuses(300_000) },
    { name: "NATS and an audit-logger killed", costs: nobody, inject: kill(["nats"], ["audit-logger", 1]) },
    {
        name: "session-worker and NATS killed",
        costs: workersClients(2),
        inject: kill(["session-worker", 2], ["nats"]),
    },
    { name: "NATS back with an empty store", isCalm: true, costs: nobody, inject: loseStore },
];
