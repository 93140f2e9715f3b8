// Which events were recorded already, by (source, epoch, sequence): a redelivery is not recorded twice, and a gap is noticed.
// A source's events come in order, so one number for each (source, epoch) is enough.

export type SequenceVerdict =
    | { readonly kind: "new" }
    | { readonly kind: "repeat" }
    /** New, but events before it never came. */
    | { readonly kind: "gap"; readonly missing: number };

export interface SequencedEvent {
    readonly source: string;
    readonly epoch: number;
    readonly sequence: number;
}

/** Sources that are remembered, the longest silent ones forgotten first; each start of an instance is a new one. */
const MAX_SOURCES = 10_000;

export class SequenceLedger {
    readonly #last = new Map<string, number>();

    /** What `event` is; says nothing about having been recorded. */
    judge({ source, epoch, sequence }: SequencedEvent): SequenceVerdict {
        const last = this.#last.get(`${source} ${epoch}`);
        // The first event that this writer sees of a source says nothing about those before: another writer may have them.
        if (last === undefined || sequence === last + 1) return { kind: "new" };
        if (sequence <= last) return { kind: "repeat" };
        return { kind: "gap", missing: sequence - last - 1 };
    }

    /** `event` is recorded. */
    note({ source, epoch, sequence }: SequencedEvent): void {
        const key = `${source} ${epoch}`;
        const last = this.#last.get(key) ?? 0;
        this.#last.delete(key);
        this.#last.set(key, Math.max(last, sequence));
        const [oldest] = this.#last.keys();
        if (this.#last.size > MAX_SOURCES && oldest !== undefined) this.#last.delete(oldest);
    }
}
