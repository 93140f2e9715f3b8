// A process for the crash test: appends and publishes until it is killed, and says what was acknowledged to it.
//   node appending-process.ts <url> <directory> <instance> <epoch>
import { writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { connectBus } from "@postern/bus";
import { DependencyError } from "@postern/errors";
import { silentLog } from "@postern/testkit";
import { everyInterval, openOutboxWith } from "../src/open-outbox.ts";
import { end, note, release } from "./test-outbox.ts";

const [url = "", directory = "", instance = "", epoch = ""] = process.argv.slice(2);
const bus = await connectBus({ servers: [url], instance, tenant: "main", log: silentLog });
// Another answer each time: numbers stay right only if the first one was written down before it was used.
const settle = async (): Promise<"won" | "lost" | "unknown"> => {
    const dice = Math.random();
    return dice < 0.4 ? "won" : dice < 0.8 ? "lost" : "unknown";
};
const outbox = await openOutboxWith(
    {
        directory,
        tenant: "main",
        service: "session-worker",
        instance,
        epoch: Number(epoch),
        maxBytes: 256 * 1024,
        streamSyncInterval: 20,
        stream: bus,
        settle,
        log: silentLog,
    },
    { everySecond: everyInterval(10) },
);

async function appendForEver(writer: number): Promise<never> {
    for (let n = 1; ; n += 1) {
        const about = `session${instance}x${outbox.epoch}x${writer}x${n}`;
        try {
            await (n % 4 === 0 ? end(outbox, about, release(about)) : note(outbox, about, about));
            writeSync(1, `${about}\n`);
        } catch (error) {
            if (!(error instanceof DependencyError && error.code === "OUTBOX_FULL")) throw error;
            // Without a turn of the event loop nothing is ever published.
            await setImmediate();
        }
    }
}

await Promise.all([1, 2, 3].map(appendForEver));
