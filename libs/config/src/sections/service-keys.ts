// The keys that every service has.
import { duration, listenAddress } from "../scalars.ts";

/** Spread into the section of each service; `admin` is the default of its admin listener. */
export const serviceKeys = (admin: string) => ({
    admin: listenAddress()
        .prefault(admin)
        .describe("Where /healthz, /readyz and /metrics are served; loopback or a management network."),
    stopWithin: duration({ min: "1s", max: "1h" })
        .prefault("20s")
        .describe("How long a stop may take after SIGTERM before the process exits anyway.")
        .meta({ limit: "The time that a stopping process holds its sockets and devices." }),
});
