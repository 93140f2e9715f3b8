// The size of the event stream, changed as `postern bus apply` changes it with another `bus.eventsMaxBytes`.
import { applyBus, type BusLayout } from "@postern/bus";
import type { Installation } from "../e2e/installation.ts";

/** The default of `bus.eventsMaxBytes`. */
export const UNLIMITED = 2 ** 30;

/** With the operator's rights. */
export async function limitEvents(postern: Installation, eventsMaxBytes: number): Promise<void> {
    const bus = await postern.connectBus("admin");
    try {
        const layout: BusLayout = { replicas: 1, eventsMaxAge: 30 * 86_400_000, eventsMaxBytes, workerTtl: 10_000 };
        await applyBus(bus, layout);
    } finally {
        await bus.close();
    }
}
