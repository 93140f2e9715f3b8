// The functions of the native addon and the memory it shares with TypeScript; src/tun.cc has the same layout.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { DependencyError } from "@postern/errors";

declare const opaque: unique symbol;
/** An open device; only the addon can look inside. */
export interface DeviceHandle {
    readonly [opaque]: "DeviceHandle";
}

/** Results below 0 are negative errno values. */
export interface TunAddon {
    readonly open: (name: string, headroom: number, shared: Uint8Array) => DeviceHandle | number;
    readonly start: (device: DeviceHandle, onBatch: (runsOrErrno: number) => void) => number;
    readonly gather: (device: DeviceHandle, slabs: readonly Uint8Array[]) => number;
    readonly write: (device: DeviceHandle, bytes: Uint8Array, pairs: Uint32Array, count: number) => number;
    readonly bind: (device: DeviceHandle, destination: Uint8Array, slot: number) => number;
    readonly close: (device: DeviceHandle) => number;
    readonly netlink: (message: Uint8Array) => number;
}

/** What `bind` takes for a slot to forget a destination. */
export const NO_SLOT = 0xffff_ffff;

const BATCH_PACKETS = 256;
const COUNTERS = 8;
const PACKETS_AT = COUNTERS * 8;
const RUNS_AT = PACKETS_AT + BATCH_PACKETS * 8;
const INDEX_AT = RUNS_AT + BATCH_PACKETS * 20;
const NAME_AT = INDEX_AT + 4;
const NAME_SIZE = 16;
const SIZE = Math.ceil((NAME_AT + NAME_SIZE) / 8) * 8;

/** Words of a run in `SharedMemory.runs`. */
export const RUN_WORDS = 5;
/** Words of a packet in `SharedMemory.packets`. */
export const PACKET_WORDS = 2;

/** `struct Shared` of tun.cc. */
export class SharedMemory {
    readonly bytes: Uint8Array = new Uint8Array(SIZE);
    /** Packets in, bytes in, packets out, bytes out, not IP, no session, queue full, refused. */
    readonly counters: BigUint64Array = new BigUint64Array(this.bytes.buffer, 0, COUNTERS);
    /** Per packet, in the order of the runs: offset in the run's slab, size. */
    readonly packets: Uint32Array = new Uint32Array(this.bytes.buffer, PACKETS_AT, BATCH_PACKETS * PACKET_WORDS);
    /** Per run: slot, packets, bytes of the slab that it needs, and two words of the addon's. */
    readonly runs: Uint32Array = new Uint32Array(this.bytes.buffer, RUNS_AT, BATCH_PACKETS * RUN_WORDS);

    /** The interface's index, once the device is open. */
    get index(): number {
        return new DataView(this.bytes.buffer).getUint32(INDEX_AT, true);
    }

    /** The interface's name, once the device is open: the kernel has put a number in the place of `%d`. */
    get name(): string {
        const text = Buffer.from(this.bytes.buffer, NAME_AT, NAME_SIZE).toString("latin1");
        return text.slice(0, text.indexOf("\0"));
    }
}

const ADDON_URL = new URL("../build/tun.node", import.meta.url);

/** Whether the addon has been compiled. */
export function isAddonBuilt(): boolean {
    return existsSync(ADDON_URL);
}

let loaded: TunAddon | undefined;

/** The addon, loaded when it is first needed: everything but the device itself works without it. */
export function loadAddon(): TunAddon {
    if (!isAddonBuilt()) {
        throw new DependencyError(
            "TUN_UNAVAILABLE",
            "the native addon is not built: run `make libs/tun/build/tun.node`",
        );
    }
    loaded ??= createRequire(import.meta.url)(fileURLToPath(ADDON_URL)) as TunAddon; // as tun.cc has it
    return loaded;
}
