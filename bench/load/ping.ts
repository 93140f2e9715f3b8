// Round trips by ping(8).
import { text } from "node:stream/consumers";
import type { NetworkNamespace } from "../../test/interop/network-namespace.ts";

/** Seconds between two requests. */
const INTERVAL = 0.01;

export interface PingResult {
    readonly sent: number;
    /** Milliseconds of every request that was answered. */
    readonly roundTrips: readonly number[];
}

export function parsePing(output: string): PingResult {
    return {
        sent: Number(/^(\d+) packets transmitted/m.exec(output)?.[1] ?? 0),
        roundTrips: [...output.matchAll(/ time=([0-9.]+) ms/g)].map(([, milliseconds]) => Number(milliseconds)),
    };
}

export async function ping(
    namespace: NetworkNamespace,
    {
        source,
        destination,
        seconds,
    }: { readonly source: string; readonly destination: string; readonly seconds: number },
): Promise<PingResult> {
    const line = ["-n", "-I", source, "-i", INTERVAL, "-c", Math.round(seconds / INTERVAL), "-W", 2, destination];
    const process = namespace.spawn("ping", line.map(String), { stdio: ["ignore", "pipe", "inherit"] });
    return parsePing(process.stdout === null ? "" : await text(process.stdout));
}
