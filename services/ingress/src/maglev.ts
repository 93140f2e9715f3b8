// Consistent hashing by source address, "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI 2016) §3.4: a client
// comes back to the same worker, all ingresses agree without talking, and a worker that goes moves few other clients.
import { encodeUtf8 } from "@postern/bytes";
import type { BalancerPolicy, Candidate } from "./balancer-policy.ts";

/** Entries of the look-up table: prime, and 100 times more than workers. */
const TABLE_SIZE = 65_537;
/** Tables that are kept: when one worker fails, each connection asks for all workers first and then for all but that one. */
const TABLES = 4;

type Table = readonly Candidate["worker"][];

export class Maglev implements BalancerPolicy {
    /** By members, the latest used last. */
    readonly #tables = new Map<string, Table>();

    choose(candidates: readonly Candidate[], source: string): Candidate | undefined {
        if (candidates.length === 0) return undefined;
        const worker = this.#tableOf(candidates)[hash(source, 0) % TABLE_SIZE];
        return candidates.find((candidate) => candidate.worker === worker);
    }

    #tableOf(candidates: readonly Candidate[]): Table {
        const workers = candidates.map(({ worker }) => worker).sort();
        const members = workers.join();
        const table = this.#tables.get(members) ?? buildTable(workers);
        this.#tables.delete(members);
        this.#tables.set(members, table);
        const [oldest] = this.#tables.keys();
        if (this.#tables.size > TABLES && oldest !== undefined) this.#tables.delete(oldest);
        return table;
    }
}

/** Each worker in turn claims the next free entry of its own permutation of the table. */
function buildTable(workers: readonly string[]): readonly string[] {
    const table: (string | undefined)[] = Array.from({ length: TABLE_SIZE }, () => undefined);
    const walks = workers.map((worker) => ({
        worker,
        at: hash(worker, 1) % TABLE_SIZE,
        skip: (hash(worker, 2) % (TABLE_SIZE - 1)) + 1,
    }));
    for (let filled = 0; ;) {
        for (const walk of walks) {
            while (table[walk.at] !== undefined) walk.at = (walk.at + walk.skip) % TABLE_SIZE;
            table[walk.at] = walk.worker;
            filled += 1;
            if (filled === TABLE_SIZE) return table.map((worker) => worker ?? "");
        }
    }
}

/** FNV-1a with the avalanche of MurmurHash3: the low bits of FNV alone are too even for short, similar names. */
function hash(text: string, seed: number): number {
    let value = 0x811c9dc5 ^ seed;
    for (const byte of encodeUtf8(text)) value = Math.imul(value ^ byte, 0x0100_0193);
    value = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
    value = Math.imul(value ^ (value >>> 13), 0xc2b2_ae35);
    return (value ^ (value >>> 16)) >>> 0;
}
