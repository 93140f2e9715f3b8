// Loaded into every service process before its own code (`node --import`): says on a Unix socket what the process holds.  POSTERN_INSPECTION is the directory of the sockets, one for each process id.
import { createServer } from "node:net";
import path from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

export interface Inspection {
    /** Octets of live objects. */
    readonly heap: number;
    /** Octets of buffers. */
    readonly buffers: number;
    /** Timers, sockets and what else keeps the process, by kind. */
    readonly resources: Readonly<Record<string, number>>;
}

/** The question whose answer is to come after a collection of garbage; any other gets one at once. */
export const COLLECT = "collect";

const directory = process.env["POSTERN_INSPECTION"];
const isService = process.argv[1]?.includes("/services/") === true;

if (directory !== undefined && isService) {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void; // what the flag exposes
    const server = createServer((socket) => {
        socket.on("error", () => undefined);
        socket.once("data", (question) => {
            // Twice: what the first run found dead may be what kept others.
            if (question.toString() === COLLECT) for (let run = 0; run < 2; run += 1) collect();
            const { heapUsed, arrayBuffers } = process.memoryUsage();
            const resources: Record<string, number> = {};
            for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
            const inspection: Inspection = { heap: heapUsed, buffers: arrayBuffers, resources };
            socket.end(JSON.stringify(inspection));
        });
    });
    server.listen(path.join(directory, `${process.pid}.sock`));
    server.unref();
}
