// The logs of all writers together.  Each chain proves itself; only together can they show that no event was passed over, because
// the writers take turns.
import type { KeyObject } from "node:crypto";
import type { Checkpoint } from "./checkpoint.ts";
import { EventLedger, sequencedOf } from "./event-ledger.ts";
import type { Finding } from "./finding.ts";
import type { AuditRecord } from "./record.ts";
import { type ChainReport, verifyAuditLog } from "./verify.ts";

export interface WriterLog {
    /** The instance. */
    readonly writer: string;
    /** A writer may have several: one that began again left its old one behind. */
    readonly directory: string;
}

export interface InstallationOptions {
    readonly logs: readonly WriterLog[];
    /** Of every key that signed checkpoints in the time that the logs cover. */
    readonly publicKeys: readonly KeyObject[];
    /** From the stream of checkpoints, read before. */
    readonly checkpoints?: readonly Checkpoint[];
    /** Wall-clock milliseconds. */
    readonly now: number;
}

/** Durable events that are in no log although later ones of their source are. */
export interface EventGap {
    readonly source: string;
    readonly epoch: number;
    /** Sequence numbers, both included. */
    readonly first: number;
    readonly last: number;
}

export interface InstallationReport {
    /** In the order of the logs. */
    readonly chains: readonly ChainReport[];
    /** Writers that published checkpoints and have no log here, perhaps because it is on another host: gaps may be in those. */
    readonly absentWriters: readonly string[];
    readonly gaps: readonly EventGap[];
}

/** A reader of everything forgets less than a writer. */
const MAX_ACCOUNTS = 1_000_000;

/** Verifies all logs, which may be written meanwhile. */
export async function verifyInstallation(options: InstallationOptions): Promise<InstallationReport> {
    const { logs, publicKeys, checkpoints = [], now } = options;
    const ledger = new EventLedger(MAX_ACCOUNTS);
    const onRecord = (record: AuditRecord): void => {
        if (record.kind === "opening") return ledger.restore(record.opening.recorded);
        const sequenced = sequencedOf(record.event);
        // What comes later may be in a log that has been read already.
        if (sequenced !== undefined && record.storedAt <= now) ledger.note(sequenced);
    };
    const chains: ChainReport[] = [];
    for (const { writer, directory } of logs) {
        chains.push(await verifyAuditLog(directory, { writer, publicKeys, checkpoints, onRecord }));
    }
    const known = new Set(logs.map(({ writer }) => writer));
    return {
        chains: withoutChainsElsewhere(chains),
        absentWriters: [...new Set(checkpoints.map(({ writer }) => writer))].filter((writer) => !known.has(writer)),
        gaps: ledger.holes(),
    };
}

/** A chain that is absent from one directory may be in another. */
function withoutChainsElsewhere(chains: readonly ChainReport[]): ChainReport[] {
    const here = new Set(chains.map(({ chain }) => chain));
    const isElsewhere = ({ kind, chain }: Finding): boolean => kind === "absent-chain" && here.has(chain);
    return chains.map((report) => ({
        ...report,
        findings: report.findings.filter((finding) => !isElsewhere(finding)),
    }));
}
