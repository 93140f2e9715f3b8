// A B A B …: contenders take turns, so that what the host does besides falls on each of them.
export type Samples<Name extends string, Sample> = Readonly<Record<Name, readonly Sample[]>>;

/** Runs every contender once a round; the one that begins goes last in the next round. */
export async function interleave<Name extends string, Sample>(
    rounds: number,
    contenders: Readonly<Record<Name, () => Promise<Sample>>>,
): Promise<Samples<Name, Sample>> {
    const names = Object.keys(contenders) as Name[]; // of the same record
    const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Sample[]>; // filled below
    for (let round = 0; round < rounds; round += 1) {
        for (let turn = 0; turn < names.length; turn += 1) {
            const name = names[(round + turn) % names.length] as Name; // the index is within the list
            samples[name].push(await contenders[name]());
        }
    }
    return samples;
}
