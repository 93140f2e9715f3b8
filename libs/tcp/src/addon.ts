// The functions of the native addon, its options and fields; src/tcp.cc has the same order of both.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** Results below 0 are negative errno values. */
export interface TcpAddon {
    readonly tune: (descriptor: number, values: Int32Array) => number;
    readonly sample: (descriptors: Int32Array, rows: Float64Array, count: number) => number;
}

/** What `tune` takes, in this order. */
export const OPTIONS = [
    "noDelay",
    "keepAlive",
    "keepAliveIdle",
    "keepAliveInterval",
    "keepAliveProbes",
    "userTimeout",
    "notSentLowat",
    "receiveBuffer",
] as const;
/** A value that leaves an option as it is. */
export const UNCHANGED = -1;

/** What `sample` writes for each socket, in this order; NaN is what the kernel does not know. */
export const FIELDS = [
    "rtt",
    "rttVariation",
    "minRtt",
    "segmentsOut",
    "retransmits",
    "duplicates",
    "lost",
    "segmentsIn",
    "outOfOrder",
    "bytesAcked",
    "notSent",
    "inFlight",
    "window",
    "segmentSize",
    "deliveryRate",
] as const;
export type Field = (typeof FIELDS)[number];
/** Numbers of a row. */
export const ROW = FIELDS.length;

export type TcpAvailability =
    | { readonly kind: "available"; readonly addon: TcpAddon }
    | { readonly kind: "unavailable"; readonly reason: string };

const ADDON_FILE = fileURLToPath(new URL("../build/tcp.node", import.meta.url));

let found: TcpAvailability | undefined;

/** The addon, looked for once; without it sockets get what Node can set, and there are no figures of their paths. */
export function tcpAvailability(): TcpAvailability {
    found ??= findAddon(ADDON_FILE);
    return found;
}

/** `tcpAvailability` for a given file. */
export function findAddon(file: string): TcpAvailability {
    if (!existsSync(file)) {
        return { kind: "unavailable", reason: "the native addon is not built: run `make libs/tcp/build/tcp.node`" };
    }
    try {
        return { kind: "available", addon: createRequire(import.meta.url)(file) as TcpAddon }; // as tcp.cc has it
    } catch (error) {
        return { kind: "unavailable", reason: `the native addon cannot be loaded: ${String(error)}` };
    }
}
