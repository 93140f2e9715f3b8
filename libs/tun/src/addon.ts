// The functions of the native addon and the memory it shares with TypeScript; src/tun.cc and src/native/ have the same layout.
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
    readonly open: (
        name: string,
        offload: number,
        shared: Uint8Array,
        sessions: Uint8Array,
        arena: Uint8Array,
    ) => DeviceHandle | number;
    readonly start: (device: DeviceHandle, onBatch: (runsOrErrno: number) => void) => number;
    readonly gather: (device: DeviceHandle, memories: readonly Uint8Array[]) => number;
    readonly take: (
        device: DeviceHandle,
        slot: number,
        bytes: Uint8Array,
        at: number,
        end: number,
        lasting: boolean,
    ) => number;
    readonly flush: (device: DeviceHandle) => number;
    readonly read: (device: DeviceHandle) => number;
    readonly write: (device: DeviceHandle, bytes: Uint8Array, pairs: Uint32Array, count: number) => number;
    readonly bind: (device: DeviceHandle, destination: Uint8Array, slot: number) => number;
    readonly close: (device: DeviceHandle) => number;
    readonly netlink: (message: Uint8Array) => number;
}

/** What `bind` takes for a slot to forget a destination. */
export const NO_SLOT = 0xffff_ffff;

/** What a device does, each including those before it: `enum Offload` of native/offload.h. */
export const OFFLOADS = ["none", "header", "checksum", "tcp-segments", "udp-segments"] as const;
export type Offload = (typeof OFFLOADS)[number];

const OFFLOAD_HEADER_SIZE = 10;
/** Bytes of the memory that packets are read into. */
export const ARENA_SIZE: number = 256 * 1024 + 65_536 + OFFLOAD_HEADER_SIZE;

const BATCH_PACKETS = 256;
const COUNTERS = 12;
const MAX_TOO_BIG = 16;
const RUNS_AT = COUNTERS * 8;
const TOO_BIG_AT = RUNS_AT + BATCH_PACKETS * 20;
const TOO_BIG_COUNT_AT = TOO_BIG_AT + MAX_TOO_BIG * 12;
const OFFLOAD_AT = TOO_BIG_COUNT_AT + 4;
const INDEX_AT = OFFLOAD_AT + 4;
const NAME_AT = INDEX_AT + 4;
const NAME_SIZE = 16;
const SIZE = Math.ceil((NAME_AT + NAME_SIZE) / 8) * 8;

/** Words of a run in `SharedMemory.runs`. */
export const RUN_WORDS = 5;
/** Words of a packet in `SharedMemory.tooBig`. */
export const TOO_BIG_WORDS = 3;

/** `struct Shared` of native/device.h. */
export class SharedMemory {
    readonly bytes: Uint8Array = new Uint8Array(SIZE);
    /** Packets in, bytes in, packets out, bytes out, not IP, no session, queue full, refused, reads, writes, super-packets in, out. */
    readonly counters: Float64Array = new Float64Array(this.bytes.buffer, 0, COUNTERS);
    /** Per run: slot, bytes that it takes and then those that it took, packets, and two words of the addon's. */
    readonly runs: Uint32Array = new Uint32Array(this.bytes.buffer, RUNS_AT, BATCH_PACKETS * RUN_WORDS);
    /** Per packet that was too big: slot, offset in the arena, size. */
    readonly tooBig: Uint32Array = new Uint32Array(this.bytes.buffer, TOO_BIG_AT, MAX_TOO_BIG * TOO_BIG_WORDS);
    readonly #words: Uint32Array = new Uint32Array(this.bytes.buffer, TOO_BIG_COUNT_AT, 3);

    /** How many packets of the batch in hand were too big, and wait for an answer. */
    get tooBigCount(): number {
        return this.#words[0] ?? 0;
    }

    /** What the open device does. */
    get offload(): Offload {
        return OFFLOADS[this.#words[1] ?? 0] ?? "none";
    }

    /** The interface's index, once the device is open. */
    get index(): number {
        return this.#words[2] ?? 0;
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
