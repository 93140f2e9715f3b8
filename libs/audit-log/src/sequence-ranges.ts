// A set of sequence numbers, kept as the few ranges that it is made of.

export type SequenceRange = readonly [first: number, last: number];

export class SequenceRanges {
    /** Ascending, with at least one number missing between neighbours. */
    readonly #ranges: [number, number][] = [];

    constructor(ranges: Iterable<SequenceRange> = []) {
        for (const [first, last] of ranges) this.add(first, last);
    }

    get list(): readonly SequenceRange[] {
        return this.#ranges;
    }

    get last(): number {
        return this.#ranges.at(-1)?.[1] ?? 0;
    }

    /** How many numbers are in the set. */
    get size(): number {
        return this.#ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    }

    has(number: number): boolean {
        const range = this.#ranges[this.#firstEndingAt(number)];
        return range !== undefined && range[0] <= number;
    }

    /** Adds the numbers from `first` to `last`. */
    add(first: number, last = first): void {
        const at = this.#firstEndingAt(first - 1);
        let end = at;
        let [from, to] = [first, last];
        for (let range = this.#ranges[end]; range !== undefined && range[0] <= last + 1; range = this.#ranges[end]) {
            from = Math.min(from, range[0]);
            to = Math.max(to, range[1]);
            end += 1;
        }
        this.#ranges.splice(at, end - at, [from, to]);
    }

    /** Takes the numbers from `first` to `last` out. */
    delete(first: number, last = first): void {
        const at = this.#firstEndingAt(first);
        let end = at;
        const rest: [number, number][] = [];
        for (let range = this.#ranges[end]; range !== undefined && range[0] <= last; range = this.#ranges[end]) {
            if (range[0] < first) rest.push([range[0], first - 1]);
            if (range[1] > last) rest.push([last + 1, range[1]]);
            end += 1;
        }
        this.#ranges.splice(at, end - at, ...rest);
    }

    /** The numbers from 1 to the last that are not in the set. */
    holes(): SequenceRange[] {
        let next = 1;
        return this.#ranges.flatMap(([first, last]) => {
            const hole: SequenceRange = [next, first - 1];
            next = last + 1;
            return hole[0] <= hole[1] ? [hole] : [];
        });
    }

    /** Forgets the lowest ranges until at most `count` are left. */
    forgetBeyond(count: number): void {
        this.#ranges.splice(0, Math.max(0, this.#ranges.length - count));
    }

    /** Index of the first range that ends at `number` or later. */
    #firstEndingAt(number: number): number {
        const last = this.#ranges.length - 1;
        // Numbers nearly always come in order.
        if (last < 0 || number > (this.#ranges[last]?.[1] ?? 0)) return last + 1;
        let [low, high] = [0, last];
        while (low < high) {
            const middle = (low + high) >>> 1;
            if ((this.#ranges[middle]?.[1] ?? 0) < number) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
