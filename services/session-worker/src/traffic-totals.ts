// What passed through a worker and what did not, over all its sessions: those that are gone, and those that are here.
import type { Counters } from "@postern/contracts";
import { addCounters, type DataPath, DROP_REASONS, type Drops, NO_TRAFFIC, noDrops } from "@postern/tun";

export type Traffic = Pick<DataPath, "counters" | "drops">;

export class TrafficTotals {
    #counters: Counters = NO_TRAFFIC;
    readonly #drops: Drops = noDrops();

    /** Adds what a session that is gone has counted. */
    add({ counters, drops }: Traffic): void {
        this.#counters = addCounters(this.#counters, counters);
        for (const reason of DROP_REASONS) this.#drops[reason] += drops[reason];
    }

    /** With what the sessions that are here have counted so far. */
    with(live: Iterable<Traffic>): Traffic {
        const totals = new TrafficTotals();
        totals.add({ counters: this.#counters, drops: this.#drops });
        for (const traffic of live) totals.add(traffic);
        return { counters: totals.#counters, drops: totals.#drops };
    }
}
