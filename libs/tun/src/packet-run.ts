import { InvariantError } from "@postern/errors";
import { PACKET_WORDS } from "./addon.ts";
import type { SlabPool } from "./slab-pool.ts";

/** The packets of one session that came in one wake-up: `[headroom | packet][headroom | packet]…`, ready for one write. */
export class PacketRun {
    /** The session's slot. */
    readonly slot: number;
    /** Headrooms and packets, one after the other; yours until `release`. */
    readonly bytes: Buffer;
    /** How many packets there are. */
    readonly count: number;
    readonly #table: Uint32Array;
    readonly #first: number;
    readonly #pool: SlabPool;
    #slab: Buffer | undefined;

    /** `table` describes, from packet `first` on, the packets that `slab` holds in its first `size` bytes. */
    constructor(
        slot: number,
        slab: Buffer,
        size: number,
        table: Uint32Array,
        first: number,
        count: number,
        pool: SlabPool,
    ) {
        this.slot = slot;
        this.bytes = slab.subarray(0, size);
        this.count = count;
        this.#table = table;
        this.#first = first * PACKET_WORDS;
        this.#pool = pool;
        this.#slab = slab;
    }

    /** Where packet `at` begins in `bytes`; its headroom is right before.  Only until the handler has returned. */
    offset(at: number): number {
        return this.#table[this.#first + at * PACKET_WORDS] ?? 0;
    }

    /** Bytes of packet `at`, headroom not counted.  Only until the handler has returned. */
    size(at: number): number {
        return this.#table[this.#first + at * PACKET_WORDS + 1] ?? 0;
    }

    /**
     * Gives the memory back, once, when nothing reads it any more: in the callback of the write.  A run that is never
     * released is collected as garbage; one that is released too early is overwritten by another session's packets.
     */
    release(): void {
        if (this.#slab === undefined) throw new InvariantError("a packet run was released twice");
        this.#pool.giveBack(this.#slab);
        this.#slab = undefined;
    }
}
