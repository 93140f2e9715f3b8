// A service for the tests of its process: does as the environment says.
import { adminAction, connectionOpened } from "@postern/contracts";
import { runService } from "../src/index.ts";

const behaviour = process.env["PROBE"] ?? "";

await runService("ingress", ({ log, events, epoch, section }) => ({
    async start() {
        if (behaviour === "fail") throw new TypeError("cannot start");
        if (behaviour === "crash") setTimeout(() => void Promise.reject(new TypeError("nobody handles this")), 10);
        if (behaviour === "never-starts") await new Promise(() => undefined);
        if (behaviour === "events") {
            const client = { address: "192.0.2.1", port: 5 };
            await events.append(adminAction, "probe", { action: "probe", target: "probe", by: "test" });
            events.emit(connectionOpened, "connection1", {
                connection: "connection1",
                ingress: "i1",
                worker: "w1",
                client,
            });
        }
        log.info({ epoch, stopWithin: section.stopWithin }, "probe started");
    },
    async stop(reason) {
        log.info({ reason }, "probe stopping");
        if (behaviour === "never-stops") await new Promise(() => undefined);
    },
    readiness: () => (behaviour === "busy" ? "busy" : undefined),
}));
