// Which events are in a chain, by (source, epoch, sequence): one that is delivered again is not recorded twice, and one that never
// comes is noticed.
//
// Sources publish in order, but what a source repeats after NATS lost it may come behind later events: so the ledger keeps ranges,
// not a high-water mark.  Instances take turns at recording, so only what is missing within one turn is known to be missing.
import type { Recorded } from "./opening.ts";
import { SequenceRanges } from "./sequence-ranges.ts";

export interface SequencedEvent {
    readonly source: string;
    readonly epoch: number;
    readonly sequence: number;
}

interface Account {
    readonly source: string;
    readonly epoch: number;
    readonly recorded: SequenceRanges;
    readonly missing: SequenceRanges;
    /** Number of the turn in which it was last heard of. */
    turn: number;
}

/** Starts of instances that are remembered, the longest silent ones forgotten first. */
const MAX_ACCOUNTS = 10_000;
/** Of one start; beyond it the lowest are forgotten, and a repetition of those would be recorded again. */
const MAX_RANGES = 1_000;

export type Verdict = "new" | "repeat";

/** What noting an event changed: numbers before it that have not come, or one that was missed and has come after all. */
export type Note =
    | { readonly kind: "in-order" }
    | { readonly kind: "gap"; readonly first: number; readonly last: number }
    | { readonly kind: "late" };

export class EventLedger {
    /** Least recently heard of first. */
    readonly #accounts = new Map<string, Account>();
    readonly #maxAccounts: number;
    #turn = 0;
    #turnBegan = Infinity;

    constructor(maxAccounts = MAX_ACCOUNTS) {
        this.#maxAccounts = maxAccounts;
    }

    /** Events that did not come although later ones of their source did. */
    get missing(): number {
        return [...this.#accounts.values()].reduce((sum, { missing }) => sum + missing.size, 0);
    }

    /**
     * This instance begins to record, at `now` in wall-clock milliseconds.  What sources published before it may be in another
     * instance's chain.
     */
    beginTurn(now: number): void {
        this.#turn += 1;
        this.#turnBegan = now;
    }

    judge({ source, epoch, sequence }: SequencedEvent): Verdict {
        return this.#accounts.get(keyOf(source, epoch))?.recorded.has(sequence) === true ? "repeat" : "new";
    }

    /** `event` is recorded. */
    note({ source, epoch, sequence }: SequencedEvent): Note {
        const account = this.#account(source, epoch);
        // A start that is younger than the turn has all its events in it.
        const watched = account.turn === this.#turn || (account.turn === 0 && epoch > this.#turnBegan);
        account.turn = this.#turn;
        const next = account.recorded.last + 1;
        account.recorded.add(sequence);
        account.recorded.forgetBeyond(MAX_RANGES);
        if (sequence > next && watched) {
            account.missing.add(next, sequence - 1);
            account.missing.forgetBeyond(MAX_RANGES);
            return { kind: "gap", first: next, last: sequence - 1 };
        }
        if (!account.missing.has(sequence)) return { kind: "in-order" };
        account.missing.delete(sequence);
        return { kind: "late" };
    }

    /** For the first record of a segment. */
    recorded(): Recorded {
        return [...this.#accounts.values()].map(({ source, epoch, recorded }) => ({
            source,
            epoch,
            ranges: recorded.list.map(([first, last]): [number, number] => [first, last]),
        }));
    }

    /** Adds what the first record of a segment says. */
    restore(recorded: Recorded): void {
        for (const { source, epoch, ranges } of recorded) {
            const account = this.#account(source, epoch);
            for (const [first, last] of ranges) account.recorded.add(first, last);
        }
    }

    /** Numbers that are not recorded although later ones of the same start are. */
    holes(): { source: string; epoch: number; first: number; last: number }[] {
        return [...this.#accounts.values()].flatMap(({ source, epoch, recorded }) =>
            recorded.holes().map(([first, last]) => ({ source, epoch, first, last })),
        );
    }

    #account(source: string, epoch: number): Account {
        const key = keyOf(source, epoch);
        const account = this.#accounts.get(key) ?? {
            source,
            epoch,
            recorded: new SequenceRanges(),
            missing: new SequenceRanges(),
            turn: 0,
        };
        this.#accounts.delete(key);
        this.#accounts.set(key, account);
        const [oldest] = this.#accounts.keys();
        if (this.#accounts.size > this.#maxAccounts && oldest !== undefined) this.#accounts.delete(oldest);
        return account;
    }
}

const keyOf = (source: string, epoch: number): string => `${epoch} ${source}`;

/** The identity of a durable event; `undefined` for samples, which have no sequence. */
export function sequencedOf(event: Readonly<Record<string, unknown>>): SequencedEvent | undefined {
    const { source, epoch, sequence } = event;
    if (typeof source !== "string" || !isCount(epoch) || !isCount(sequence) || sequence === 0) return undefined;
    return { source, epoch, sequence };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
