// Follows the numbers of records from line to line and says where they are not what they should be.
//
// A number that is too high is either the end of a gap or a record that stands too early; the next line decides.
import type { Findings, Place } from "./finding.ts";

export interface PlacedRecord {
    readonly n: number;
    readonly previous: string;
    readonly hash: string;
    readonly place: Place;
}

interface Gap {
    readonly first: number;
    readonly last: number;
    /** The line behind it. */
    readonly place: Place;
}

interface Malformed {
    readonly place: Place;
    readonly lines: number;
}

export interface OrderWalkPorts {
    readonly findings: Findings;
    /** Gets each record once, with the number that it must have. */
    readonly accept: (record: PlacedRecord) => void;
}

export class OrderWalk {
    readonly #ports: OrderWalkPorts;
    /** Number of the next record, and the hash of the one before where it is known. */
    #expected: number;
    #lastHash: string | undefined;
    #jump: PlacedRecord | undefined;
    #malformed: Malformed | undefined;
    readonly #early = new Map<number, PlacedRecord>();
    #gaps: Gap[] = [];

    constructor(ports: OrderWalkPorts, first: number, hashBefore: string | undefined) {
        this.#ports = ports;
        this.#expected = first;
        this.#lastHash = hashBefore;
    }

    get expected(): number {
        return this.#expected;
    }

    /** Everything so far has found its place. */
    get isSettled(): boolean {
        return this.#jump === undefined && this.#early.size === 0 && this.#malformed === undefined;
    }

    /** What has to be remembered until it is resolved. */
    get unresolved(): number {
        return this.#early.size + this.#gaps.length;
    }

    take(record: PlacedRecord): void {
        if (this.#jump !== undefined) this.#resolveJump(this.#jump, record);
        const inPlace = record.previous === this.#lastHash && this.#malformed === undefined;
        if (inPlace && record.n !== this.#expected) this.#takeRenumbered(record);
        else if (record.n === this.#expected) this.#takeNext(record);
        else if (record.n > this.#expected) this.#takeHigher(record);
        else this.#takeLower(record);
    }

    takeMalformed(place: Place): void {
        if (this.#jump !== undefined) this.#closeGap(this.#jump);
        this.#malformed = { place: this.#malformed?.place ?? place, lines: (this.#malformed?.lines ?? 0) + 1 };
    }

    /** Returns the number of the last record that is there, if only as a line that is none. */
    end(): number {
        if (this.#jump !== undefined) this.#closeGap(this.#jump);
        for (const record of [...this.#early.values()].sort((a, b) => a.n - b.n)) this.#closeGap(record);
        if (this.#malformed !== undefined) this.#reportMalformed(this.#expected - 1 + this.#malformed.lines);
        for (const { first, last: through, place } of this.#gaps) {
            const detail = `${range(first, through)} missing before this line`;
            this.#ports.findings.add({ kind: "missing", ...place, n: first, through, detail });
        }
        return this.#expected - 1;
    }

    #takeRenumbered(record: PlacedRecord): void {
        const detail = `it says that it is record ${record.n}, and follows record ${this.#expected - 1}`;
        this.#ports.findings.add({ kind: "changed", ...record.place, n: this.#expected, detail });
        this.#takeNext({ ...record, n: this.#expected });
    }

    #takeNext(record: PlacedRecord): void {
        if (this.#malformed !== undefined) this.#reportMalformed(record.n - 1);
        const early = this.#early.get(record.n);
        if (early !== undefined) {
            this.#early.delete(record.n);
            this.#repeated(early);
        }
        this.#ports.accept(record);
        this.#expected = record.n + 1;
        this.#lastHash = record.hash;
    }

    #takeHigher(record: PlacedRecord): void {
        if (this.#malformed !== undefined) {
            this.#reportMalformed(record.n - 1);
            this.#expected = record.n;
            return this.#takeNext(record);
        }
        let allEarly = true;
        for (let n = this.#expected; n < record.n && allEarly; n += 1) allEarly = this.#early.has(n);
        if (allEarly) this.#closeGap(record);
        else this.#jump = record;
    }

    #takeLower(record: PlacedRecord): void {
        if (this.#malformed !== undefined) this.#reportMalformed(this.#expected - 1);
        const { findings, accept } = this.#ports;
        const at = this.#gaps.findIndex(({ first, last }) => first <= record.n && record.n <= last);
        const gap = this.#gaps[at];
        if (gap === undefined) return this.#repeated(record);
        const rest = [
            { ...gap, last: record.n - 1 },
            { ...gap, first: record.n + 1 },
        ];
        this.#gaps.splice(at, 1, ...rest.filter(({ first, last }) => first <= last));
        findings.addRun(
            "reordered",
            record.place,
            record.n,
            `record ${record.n} stands behind record ${this.#expected - 1}`,
        );
        accept(record);
    }

    #resolveJump(jump: PlacedRecord, next: PlacedRecord): void {
        if (next.n === jump.n + 1) return this.#closeGap(jump);
        this.#jump = undefined;
        if (this.#early.has(jump.n)) this.#repeated(jump);
        else this.#early.set(jump.n, jump);
    }

    /** `record` is where it belongs; those before it came early, or are missing. */
    #closeGap(record: PlacedRecord): void {
        this.#jump = undefined;
        const { findings, accept } = this.#ports;
        let first = this.#expected;
        const early = [...this.#early.values()].filter(({ n }) => n < record.n).sort((a, b) => a.n - b.n);
        for (const stray of early) {
            this.#early.delete(stray.n);
            if (first < stray.n) this.#gaps.push({ first, last: stray.n - 1, place: record.place });
            findings.addRun(
                "reordered",
                stray.place,
                stray.n,
                `record ${stray.n} stands before record ${this.#expected - 1}`,
            );
            accept(stray);
            first = stray.n + 1;
            this.#lastHash = stray.hash;
        }
        if (first < record.n) this.#gaps.push({ first, last: record.n - 1, place: record.place });
        if (this.#early.delete(record.n)) {
            findings.addRun(
                "reordered",
                record.place,
                record.n,
                `record ${record.n} stands before record ${this.#expected - 1}`,
            );
        }
        this.#expected = record.n;
        this.#takeNext(record);
    }

    #repeated({ place, n }: PlacedRecord): void {
        this.#ports.findings.addRun("repeated", place, n, `record ${n} is there a second time`);
    }

    /** They stand where the records up to `through` should be; nothing is missing when that is before the next. */
    #reportMalformed(through: number): void {
        if (this.#malformed === undefined) return;
        const { place, lines } = this.#malformed;
        this.#malformed = undefined;
        const what = lines === 1 ? "this line is no record" : `${lines} lines from here are no records`;
        const first = this.#expected;
        if (through < first) {
            this.#ports.findings.add({ kind: "malformed", ...place, detail: what });
            return;
        }
        const detail = `${what}; ${range(first, through)} expected here`;
        this.#ports.findings.add({ kind: "malformed", ...place, n: first, through, detail });
        this.#expected = through + 1;
        this.#lastHash = undefined;
    }
}

const range = (first: number, last: number): string =>
    first === last ? `record ${first} is` : `records ${first} to ${last} are`;
