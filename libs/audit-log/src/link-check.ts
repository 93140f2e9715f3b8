// Holds every record against the hash that the next one names, and against the checkpoints.
//
// A record is as good as the one that names its hash, up to a checkpoint, which is signed.  So where a link is broken the blame is
// given from behind: the upper record is believed when it is proved itself, and else blamed itself.
import type { Findings, Place } from "./finding.ts";
import type { PlacedRecord } from "./order-walk.ts";

/** A hash that was signed for a record, and when. */
export interface Promised {
    readonly hash: string;
    readonly at: string;
}

interface Broken {
    /** Of the lower record; `undefined` when that is no more than a checkpoint. */
    readonly place: Place | undefined;
    readonly hash: string;
    readonly upper: Place;
    readonly named: string;
}

interface Verdict {
    readonly isGood: boolean;
    readonly place: Place;
    readonly hash: string;
    readonly promised: Promised;
}

export class LinkCheck {
    readonly #findings: Findings;
    readonly #promises: ReadonlyMap<number, readonly Promised[]>;
    /** Records whose successor has not been seen, and whose predecessor has not. */
    readonly #unnamed = new Map<number, PlacedRecord>();
    readonly #naming = new Map<number, PlacedRecord>();
    /** By number of the upper record. */
    readonly #broken = new Map<number, Broken>();
    readonly #verdicts = new Map<number, Verdict>();
    readonly #blamed = new Set<number>();
    /** Numbers of the records that checkpoints prove, ascending; known at the end. */
    #good: number[] = [];
    #first = Infinity;

    constructor(findings: Findings, promises: ReadonlyMap<number, readonly Promised[]>) {
        this.#findings = findings;
        this.#promises = promises;
    }

    get unresolved(): number {
        return this.#naming.size + this.#broken.size;
    }

    accept(record: PlacedRecord): void {
        const { n, hash, place } = record;
        this.#first = Math.min(this.#first, n);
        const [promised, ...others] = this.#promises.get(n) ?? [];
        if (promised !== undefined) {
            const contradicted = [promised, ...others].find((one) => one.hash !== hash);
            this.#verdicts.set(n, {
                isGood: contradicted === undefined,
                place,
                hash,
                promised: contradicted ?? promised,
            });
        }
        const lower = this.#unnamed.get(n - 1);
        if (lower === undefined) this.#naming.set(n, record);
        else {
            this.#unnamed.delete(n - 1);
            this.#compare(lower, record);
        }
        const upper = this.#naming.get(n + 1);
        if (upper === undefined) this.#unnamed.set(n, record);
        else {
            this.#naming.delete(n + 1);
            this.#compare(record, upper);
        }
    }

    /** Number of the newest record before `n` that a checkpoint proves; 0 when there is none. */
    provedBefore(n: number): number {
        return this.#good.findLast((one) => one < n) ?? 0;
    }

    /** Reports what is changed. */
    end(): void {
        for (const [n, upper] of this.#naming) {
            const [promised] = this.#promises.get(n - 1) ?? [];
            if (promised === undefined || promised.hash === upper.previous) continue;
            this.#broken.set(n, { place: undefined, hash: promised.hash, upper: upper.place, named: upper.previous });
        }
        this.#good = [...this.#verdicts].flatMap(([n, { isGood }]) => (isGood ? [n] : [])).sort((a, b) => a - b);
        for (const n of [...this.#broken.keys()].sort((a, b) => a - b)) this.#blame(n);
        this.#reportContradictions();
    }

    #compare(lower: PlacedRecord, upper: PlacedRecord): void {
        if (upper.previous === lower.hash) return;
        this.#broken.set(upper.n, { place: lower.place, hash: lower.hash, upper: upper.place, named: upper.previous });
    }

    /** Decides who is to blame for the broken link below record `n`. */
    #blame(n: number): void {
        const broken = this.#broken.get(n);
        if (broken === undefined) return;
        const { place, hash, upper, named } = broken;
        const signed = `it follows ${named}, a checkpoint says ${hash}`;
        if (place === undefined) return this.#report(upper, n, signed);
        const names = `its SHA-256 is ${hash}, record ${n} names ${named}`;
        const lowerVerdict = this.#verdicts.get(n - 1);
        if (lowerVerdict?.isGood === true) return this.#report(upper, n, signed);
        if (lowerVerdict?.isGood === false) this.#report(place, n - 1, names);
        const upperVerdict = this.#verdicts.get(n);
        if (upperVerdict?.isGood === false) return this.#report(upper, n, contradiction(n, upperVerdict));
        // The link above is broken as well: this record is blamed there, and what it names proves nothing.
        if (this.#broken.has(n + 1)) return;
        const isProved = upperVerdict !== undefined || !this.#unnamed.has(n);
        if (isProved) this.#report(place, n - 1, names);
        else if (lowerVerdict === undefined) this.#report(place, n - 1, `${names}: one of both was changed`, n);
    }

    #report(at: Place, n: number, detail: string, through = n): void {
        if (this.#blamed.has(n)) return;
        this.#blamed.add(n);
        this.#findings.add({ kind: "changed", ...at, n, ...(through === n ? {} : { through }), detail });
    }

    /** Checkpoints that do not fit although every link up to them does: whoever changed a record changed all behind it to match. */
    #reportContradictions(): void {
        const bad = [...this.#verdicts]
            .filter(([n, { isGood }]) => !isGood && !this.#blamed.has(n))
            .sort(([a], [b]) => a - b);
        let reported = -1;
        for (const [n, verdict] of bad) {
            const before = this.provedBefore(n);
            // One finding for all that nothing good separates.
            if (before === reported) continue;
            reported = before;
            const next = this.#good.find((one) => one > n) ?? Infinity;
            const through = bad.findLast(([one]) => one < next)?.[0] ?? n;
            const detail = contradiction(n, verdict);
            this.#findings.add({
                kind: "changed",
                ...verdict.place,
                n: Math.max(before + 1, this.#first),
                through,
                detail,
            });
        }
    }
}

const contradiction = (n: number, { hash, promised }: Verdict): string =>
    `the SHA-256 of record ${n} is ${hash}, the checkpoint of ${promised.at} says ${promised.hash}`;
