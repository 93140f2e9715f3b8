// Consistent hashing by source address, "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI 2016) §3.4: a client
// comes back to the same worker, all ingresses agree without talking, and a worker that goes moves few other clients.
import { encodeUtf8 } from "@postern/bytes";
import type { BalancerPolicy, Candidate } from "./balancer-policy.ts";

/** Entries of the look-up table: prime, and 100 times more than workers. */
const TABLE_SIZE = 65_537;

export class Maglev implements BalancerPolicy {
    #members = "";
    #table: readonly Candidate["worker"][] = [];

    choose(candidates: readonly Candidate[], source: string): Candidate | undefined {
        if (candidates.length === 0) return undefined;
        const workers = candidates.map(({ worker }) => worker).sort();
        const members = workers.join();
        if (members !== this.#members) {
            this.#table = buildTable(workers);
            this.#members = members;
        }
        const worker = this.#table[hash(source, 0) % TABLE_SIZE];
        return candidates.find((candidate) => candidate.worker === worker);
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
