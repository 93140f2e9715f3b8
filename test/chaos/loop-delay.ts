// How late event loops were: whose time the round trips are made of.
import { monitorEventLoopDelay } from "node:perf_hooks";

/** Milliseconds between two looks of the monitors, which is what they report of a loop that is never late. */
const RESOLUTION = 10;

/** Milliseconds that looks came late. */
export interface LoopDelay {
    readonly p99: number;
    readonly max: number;
}

/** Of this process, from now until the result is called. */
export function watchLoopDelay(): () => LoopDelay {
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
    histogram.enable();
    return () => {
        histogram.disable();
        return delayOf(histogram.percentile(99) / 1e6, histogram.max / 1e6);
    };
}

/** Of the service with this admin listener, since it was last asked. */
export async function askLoopDelay(admin: string): Promise<LoopDelay> {
    const text = await (await fetch(`${admin}/metrics`)).text();
    const milliseconds = (name: string): number =>
        1_000 * Number(new RegExp(`_nodejs_eventloop_lag_${name}_seconds\\{[^}]*\\} (\\S+)$`, "mu").exec(text)?.[1]);
    return delayOf(milliseconds("p99"), milliseconds("max"));
}

const delayOf = (p99: number, max: number): LoopDelay => ({ p99: p99 - RESOLUTION, max: max - RESOLUTION });
