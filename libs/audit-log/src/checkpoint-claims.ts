// What was signed about a log, beside it and elsewhere; forged and contradicting statements are findings.
import type { KeyObject } from "node:crypto";
import { CHECKPOINT_FILE, readCheckpointFile } from "./checkpoint-file.ts";
import { type Checkpoint, SignatureCheck } from "./checkpoint.ts";
import type { Findings } from "./finding.ts";
import type { Promised } from "./link-check.ts";
import { GENESIS } from "./record.ts";

export interface ClaimOptions {
    readonly writer: string;
    /** Of every key that signed checkpoints in the time that the log covers. */
    readonly publicKeys: readonly KeyObject[];
    /** From the stream of checkpoints; those of other writers are not looked at. */
    readonly checkpoints?: readonly Checkpoint[];
}

export interface Claims {
    /** Of the log; `undefined` when nothing is signed. */
    readonly chain: string | undefined;
    /** Number of the first record that was not deleted by rule; `undefined` when nothing is signed. */
    readonly first: number | undefined;
    /** The newest. */
    readonly newest: Checkpoint | undefined;
    /** By record number; several where they contradict each other. */
    readonly promises: ReadonlyMap<number, readonly Promised[]>;
    /** Good ones, of this chain. */
    readonly count: number;
    /** Numbers of records that the checkpoints beside the log are about. */
    readonly beside: ReadonlySet<number>;
}

/** `own` is the chain that the log itself names. */
export async function collectClaims(
    directory: string,
    own: string | undefined,
    options: ClaimOptions,
    findings: Findings,
): Promise<Claims> {
    const { writer, publicKeys, checkpoints = [] } = options;
    const signatures = new SignatureCheck(publicKeys);
    const beside: Checkpoint[] = [];
    for (const { line, checkpoint } of (await readCheckpointFile(directory)).lines) {
        const problem =
            checkpoint === undefined ? "this line is no checkpoint" : problemOf(checkpoint, writer, signatures);
        if (checkpoint !== undefined && problem === undefined) beside.push(checkpoint);
        else
            findings.add({
                kind: "checkpoint",
                file: CHECKPOINT_FILE,
                line,
                ...numberOf(checkpoint),
                detail: problem ?? "",
            });
    }
    const published = checkpoints.filter((checkpoint) => {
        if (checkpoint.writer !== writer) return false;
        const problem = problemOf(checkpoint, writer, signatures);
        if (problem !== undefined) {
            findings.add({
                kind: "checkpoint",
                n: checkpoint.n,
                detail: `one that was published at ${checkpoint.at}: ${problem}`,
            });
        }
        return problem === undefined;
    });
    const chain = newestOf(beside)?.chain ?? own ?? newestOf(published)?.chain;
    reportAbsentChains(published, chain, findings);
    const [ownBeside, ownPublished] = [beside, published].map((list) => list.filter((one) => one.chain === chain));
    reportRemoved(ownBeside ?? [], ownPublished ?? [], findings);
    const signed = [...(ownBeside ?? []), ...(ownPublished ?? [])];
    return {
        chain,
        first: signed.length === 0 ? undefined : signed.reduce((highest, { first }) => Math.max(highest, first), 1),
        newest: signed.reduce<Checkpoint | undefined>(
            (best, one) => (best === undefined || one.n > best.n ? one : best),
            undefined,
        ),
        promises: promisesOf(signed, findings),
        count: new Set(signed.map(({ signature }) => signature)).size,
        beside: new Set(ownBeside?.map(({ n }) => n)),
    };
}

function problemOf(checkpoint: Checkpoint, writer: string, signatures: SignatureCheck): string | undefined {
    if (!signatures.isSigned(checkpoint))
        return `its signature is not that of a known key (it names key ${checkpoint.key})`;
    return checkpoint.writer === writer ? undefined : `it is about the log of ${checkpoint.writer}`;
}

const numberOf = (checkpoint: Checkpoint | undefined): { n?: number } =>
    checkpoint === undefined ? {} : { n: checkpoint.n };

/** By time: a later chain may have fewer records. */
const newestOf = (checkpoints: readonly Checkpoint[]): Checkpoint | undefined =>
    checkpoints.reduce<Checkpoint | undefined>(
        (best, one) => (best === undefined || one.at >= best.at ? one : best),
        undefined,
    );

function reportAbsentChains(published: readonly Checkpoint[], own: string | undefined, findings: Findings): void {
    const newest = new Map<string, Checkpoint>();
    for (const checkpoint of published) {
        const known = newest.get(checkpoint.chain);
        if (known === undefined || checkpoint.n > known.n) newest.set(checkpoint.chain, checkpoint);
    }
    for (const [chain, { n, at }] of newest) {
        if (chain === own) continue;
        const detail = `a chain of ${n} records, last signed at ${at}, is not here`;
        findings.add({ kind: "absent-chain", n: 1, through: n, chain, detail });
    }
}

/** A checkpoint is published when it is beside the log, so the newest one that is published is there. */
function reportRemoved(beside: readonly Checkpoint[], published: readonly Checkpoint[], findings: Findings): void {
    const newest = published.reduce<Checkpoint | undefined>(
        (best, one) => (best === undefined || one.n > best.n ? one : best),
        undefined,
    );
    if (newest === undefined || beside.some(({ n }) => n >= newest.n)) return;
    const detail = `the checkpoint of record ${newest.n}, published at ${newest.at}, is not beside the log`;
    findings.add({ kind: "checkpoint", file: CHECKPOINT_FILE, n: newest.n, detail });
}

function promisesOf(own: readonly Checkpoint[], findings: Findings): Map<number, Promised[]> {
    const promises = new Map<number, Promised[]>([[0, [{ hash: GENESIS, at: "the beginning" }]]]);
    const promise = (n: number, promised: Promised): void => {
        const others = promises.get(n) ?? [];
        if (others.some(({ hash }) => hash === promised.hash)) return;
        promises.set(n, [...others, promised]);
        const [other] = others;
        if (other === undefined) return;
        const detail = `those of ${other.at} and ${promised.at} say different things about record ${n}: two logs were written as one`;
        findings.add({ kind: "checkpoint", n, detail });
    };
    for (const { n, hash, at } of own) promise(n, { hash, at });
    return promises;
}
