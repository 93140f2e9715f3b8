// Disks without room for 20 s: under the outboxes, the audit logs and NATS; and an event stream at its limit.
import { setTimeout as delay } from "node:timers/promises";
import { limitEvents, UNLIMITED } from "../../outage/event-limit.ts";
import type { DiskName } from "../breakable-state.ts";
import type { Stage } from "../stage.ts";
import { type Fault, nobody } from "./fault.ts";

const FULL_FOR = 20_000;

const fill = (name: DiskName) => async (stage: Stage) => {
    const disk = stage.disk(name);
    await disk.fill();
    await delay(FULL_FOR);
    await disk.free();
};

export const FULL_DISKS: readonly Fault[] = [
    { name: "outboxes on a full disk for 20 s", costs: nobody, inject: fill("outbox") },
    { name: "audit logs on a full disk for 20 s", costs: nobody, inject: fill("audit") },
    {
        name: "event stream full for 20 s",
        costs: nobody,
        inject: async ({ postern }) => {
            await limitEvents(postern, 1);
            await delay(FULL_FOR);
            await limitEvents(postern, UNLIMITED);
        },
    },
    {
        name: "NATS on a full disk for 20 s, then restarted",
        costs: nobody,
        inject: async (stage) => {
            await fill("nats/jetstream")(stage);
            // JetStream, once it has failed to write, wants a restart.
            const pid = stage.pid("nats");
            process.kill(pid, "SIGTERM");
            await stage.untilReplaced([pid]);
        },
    },
];
