// Where packets cross between the addon and JavaScript: runs towards peers, pieces of streams from them.
import { InvariantError } from "@postern/errors";
import { RUN_WORDS, TOO_BIG_WORDS, type DeviceHandle, type SharedMemory, type TunAddon } from "./addon.ts";
import type { CompiledPath } from "./compiled-path.ts";
import { HEADROOM } from "./constants.ts";
import { MAX_SLAB_SIZE, type SlabPool } from "./slab-pool.ts";

/** Pieces of streams whose packets may wait for the end of this turn of the event loop; one is 16 KiB at most (RFC 8446 §5.1). */
const MAX_PIECES = 256;
const NOTHING = Buffer.alloc(0);

export class PacketPump {
    readonly #addon: TunAddon;
    readonly #handle: DeviceHandle;
    readonly #shared: SharedMemory;
    readonly #arena: Uint8Array;
    readonly #pool: SlabPool;
    readonly #paths: (CompiledPath | undefined)[] = [];
    readonly #slabs: Buffer[] = [];
    readonly #memories: Buffer[] = [];
    /** What the addon has packets in that the kernel has not been given: to be kept until then. */
    #held: Uint8Array[] = [];
    /** Taken since the last flush. */
    #pieces = 0;
    #isFlushDue = false;
    #isDelivering = false;

    constructor(addon: TunAddon, handle: DeviceHandle, shared: SharedMemory, arena: Uint8Array, pool: SlabPool) {
        this.#addon = addon;
        this.#handle = handle;
        this.#shared = shared;
        this.#arena = arena;
        this.#pool = pool;
    }

    /** Packets of `slot` go to `path` from now on. */
    set(slot: number, path: CompiledPath | undefined): void {
        this.#paths[slot] = path;
    }

    /** The batch that the addon has read, `runs` runs of it, goes out. */
    deliver(runs: number): void {
        this.#isDelivering = true;
        try {
            this.#takeMemory(runs);
            const errno = this.#addon.gather(this.#handle, this.#memories);
            if (errno < 0) throw new InvariantError(`gathering ${runs} runs: ${errno}`);
            for (let run = 0; run < runs; run += 1) this.#send(run);
            for (let at = 0; at < this.#shared.tooBigCount; at += 1) {
                const [slot = 0, offset = 0, size = 0] = this.#shared.tooBig.subarray(at * TOO_BIG_WORDS);
                this.#paths[slot]?.onTooBig(this.#arena.subarray(offset, offset + size));
            }
        } finally {
            this.#isDelivering = false;
        }
    }

    /** As much for each run as its peer's queue has room for. */
    #takeMemory(runs: number): void {
        const table = this.#shared.runs;
        this.#slabs.length = this.#memories.length = 0;
        for (let run = 0; run < runs; run += 1) {
            const room = this.#paths[table[run * RUN_WORDS] ?? 0]?.room ?? 0;
            const size = Math.min(table[run * RUN_WORDS + 1] ?? 0, room, MAX_SLAB_SIZE);
            const slab = size === 0 ? NOTHING : this.#pool.take(size);
            this.#slabs.push(slab);
            this.#memories.push(slab.subarray(0, size));
        }
    }

    #send(run: number): void {
        const table = this.#shared.runs;
        const [slot = 0, size = 0, packets = 0] = table.subarray(run * RUN_WORDS, run * RUN_WORDS + 3);
        const slab = this.#slabs[run] ?? NOTHING;
        const path = this.#paths[slot];
        if (size > 0 && path !== undefined)
            path.deliver(slab.subarray(0, size), packets, packets * HEADROOM, () => this.#pool.giveBack(slab));
        else if (slab.length > 0) this.#pool.giveBack(slab);
    }

    /** See `DataPath.take`. */
    take(slot: number, bytes: Uint8Array, at: number, end: number, lasting: boolean): number {
        const stopped = this.#addon.take(this.#handle, slot, bytes, at, end, lasting);
        if (stopped < 0) throw new InvariantError(`taking [${at}, ${end}) of ${bytes.length} bytes: ${stopped}`);
        if (stopped === at) return stopped;
        if (lasting && this.#held.at(-1) !== bytes) this.#held.push(bytes);
        this.#pieces += 1;
        if (this.#pieces >= MAX_PIECES) this.#exchange();
        else this.#flushSoon();
        return stopped;
    }

    /** Gives the kernel what peers have sent so far. */
    flush(): void {
        this.#addon.flush(this.#handle);
        this.#held = [];
        this.#pieces = 0;
    }

    /**
     * Gives the kernel what peers have sent, and takes what it has answered.  After a pause the event loop reads from thousands of peers
     * before it looks at the device again, and the device's queue is not made for thousands of answers.
     */
    #exchange(): void {
        this.flush();
        // Where a peer's packets come out of the batch in hand, that has to go out first.
        if (this.#isDelivering) return;
        const runs = this.#addon.read(this.#handle);
        // That the device is gone is told at the next wake-up.
        if (runs >= 0) this.deliver(runs);
    }

    #flushSoon(): void {
        if (this.#isFlushDue) return;
        this.#isFlushDue = true;
        // After everything that can be read now has been: what came together goes out together.
        setImmediate(() => {
            this.#isFlushDue = false;
            this.flush();
        });
    }
}
