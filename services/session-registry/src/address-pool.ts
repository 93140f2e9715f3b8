// Which addresses of one pool are free, held or in use, as far as this replica has seen.  Choosing one costs the same in an
// empty and in a nearly full pool.
import type { Ipv4Range } from "@postern/config";

/** What the leases say of one address. */
export type AddressState = "free" | "held" | "used";

export class AddressPool {
    readonly #ranges: readonly (Ipv4Range & { readonly offset: number })[];
    readonly size: number;
    /** Indexes of the free addresses, in the first `#freeCount` places and no order. */
    readonly #free: Uint32Array;
    #freeCount: number;
    /** Index → its place in `#free` plus one; 0: not free. */
    readonly #place: Uint32Array;
    /** Indexes of the held addresses, those held longest first. */
    readonly #held = new Set<number>();

    /** All of `networks` but what is in `exclude`. */
    constructor(networks: readonly Ipv4Range[], exclude: readonly Ipv4Range[]) {
        const ranges = exclude.reduce(
            without,
            [...networks].sort((a, b) => a.first - b.first),
        );
        let offset = 0;
        this.#ranges = ranges.map(({ first, last }) => {
            const range = { first, last, offset };
            offset += last - first + 1;
            return range;
        });
        this.size = offset;
        this.#free = Uint32Array.from({ length: offset }, (_, index) => index);
        this.#place = Uint32Array.from({ length: offset }, (_, index) => index + 1);
        this.#freeCount = offset;
    }

    get free(): number {
        return this.#freeCount;
    }

    get held(): number {
        return this.#held.size;
    }

    get used(): number {
        return this.size - this.#freeCount - this.#held.size;
    }

    contains(address: number): boolean {
        return this.#indexOf(address) !== undefined;
    }

    /** Addresses outside the pool are nobody's business here. */
    set(address: number, state: AddressState): void {
        const index = this.#indexOf(address);
        if (index === undefined) return;
        if (state === "held") this.#held.add(index);
        else this.#held.delete(index);
        if (state === "free") this.#addFree(index);
        else this.#removeFree(index);
    }

    /** A free address, each as likely as any other so that replicas seldom choose the same; it counts as used from now on. */
    takeFree(random: () => number): number | undefined {
        if (this.#freeCount === 0) return undefined;
        const index = this.#free[Math.floor(random() * this.#freeCount)] ?? 0;
        this.#removeFree(index);
        return this.#addressAt(index);
    }

    /** The address that has been held longest; it counts as used from now on. */
    takeHeld(): number | undefined {
        const [index] = this.#held;
        if (index === undefined) return undefined;
        this.#held.delete(index);
        return this.#addressAt(index);
    }

    #addFree(index: number): void {
        if (this.#place[index] !== 0) return;
        this.#free[this.#freeCount] = index;
        this.#freeCount += 1;
        this.#place[index] = this.#freeCount;
    }

    /** The last free one moves to the place that becomes empty. */
    #removeFree(index: number): void {
        const place = this.#place[index] ?? 0;
        if (place === 0) return;
        const last = this.#free[this.#freeCount - 1] ?? 0;
        this.#free[place - 1] = last;
        this.#place[last] = place;
        this.#place[index] = 0;
        this.#freeCount -= 1;
    }

    #indexOf(address: number): number | undefined {
        const range = this.#ranges.find(({ first, last }) => first <= address && address <= last);
        return range === undefined ? undefined : range.offset + address - range.first;
    }

    #addressAt(index: number): number | undefined {
        const range = this.#ranges.findLast(({ offset }) => offset <= index);
        return range === undefined ? undefined : range.first + index - range.offset;
    }
}

/** `ranges`, in order, without the addresses of `hole`. */
function without(ranges: Ipv4Range[], hole: Ipv4Range): Ipv4Range[] {
    return ranges.flatMap(({ first, last }) =>
        [
            { first, last: Math.min(last, hole.first - 1) },
            { first: Math.max(first, hole.last + 1), last },
        ].filter((part) => part.first <= part.last),
    );
}
