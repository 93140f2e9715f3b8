// Many clients at a steady rate: the load of a morning, for benchmarks and for tests of limits.
import { setTimeout as delay } from "node:timers/promises";
import type { SstpClientOptions } from "./client-options.ts";
import { DialError } from "./dial-error.ts";
import { DIAL_STEPS, type DialStep } from "./dial-timings.ts";
import { type Percentiles, percentilesOf } from "./percentiles.ts";
import { SstpClient } from "./sstp-client.ts";

export interface LoadOptions {
    readonly count: number;
    /** Dials begun per second, whether or not earlier ones are complete: a server that is slow gets no mercy. */
    readonly rate: number;
    /** The options of client number `index`, from 0. */
    readonly client: (index: number) => SstpClientOptions;
}

export interface LoadFailure {
    readonly index: number;
    readonly error: DialError;
}

export interface LoadReport {
    /** Open connections: they are the caller's to close. */
    readonly clients: readonly SstpClient[];
    readonly failures: readonly LoadFailure[];
    /** Milliseconds from the TCP connect to the end of each step, of the clients that opened. */
    readonly timings: Readonly<Partial<Record<DialStep, Percentiles>>>;
    /** Of the clients that opened, those that resumed an earlier TLS session. */
    readonly resumed: number;
    /** Milliseconds from the first dial to the last result. */
    readonly duration: number;
}

/** Resolves when every dial has succeeded or failed. */
export async function openMany({ count, rate, client }: LoadOptions): Promise<LoadReport> {
    const begun = performance.now();
    const clients: SstpClient[] = [];
    const failures: LoadFailure[] = [];
    await Promise.all(
        Array.from({ length: count }, async (_, index) => {
            await delay(Math.max(0, begun + (index * 1000) / rate - performance.now()));
            try {
                clients.push(await SstpClient.connect(client(index)));
            } catch (error) {
                if (!(error instanceof DialError)) throw error;
                failures.push({ index, error });
            }
        }),
    );
    const resumed = clients.filter((client) => client.isResumed).length;
    return { clients, failures, timings: timingsOf(clients), resumed, duration: performance.now() - begun };
}

function timingsOf(clients: readonly SstpClient[]): LoadReport["timings"] {
    const timings: Partial<Record<DialStep, Percentiles>> = {};
    for (const step of DIAL_STEPS) {
        const percentiles = percentilesOf(clients.map((client) => client.timings[step]));
        if (percentiles !== undefined) timings[step] = percentiles;
    }
    return timings;
}
