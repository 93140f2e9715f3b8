// `postern audit verify`: whether the audit record is what its writers signed.
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
    parseCheckpoint,
    readPublicKey,
    verifyInstallation,
    type ChainReport,
    type Checkpoint,
    type InstallationReport,
    type WriterLog,
} from "@postern/audit-log";
import { storedMessages, type Bus } from "@postern/bus";
import { loadConfig, type Config } from "@postern/config";
import { InstanceId } from "@postern/contracts";
import { ConfigError, DependencyError } from "@postern/errors";
import { EXIT, type ExitStatus } from "../exit-status.ts";
import type { Column, Output } from "../output.ts";

/** Files of keys, private or public, that signed earlier than the configured one. */
export interface VerifyWishes {
    readonly earlierKeys: readonly string[];
}

/** The checkpoints that the bus keeps, out of reach of who can write to the logs. */
export async function publishedCheckpoints(bus: Bus): Promise<readonly Checkpoint[]> {
    const messages = await storedMessages(bus, "checkpoints", bus.subjects.checkpointFilter);
    return messages.flatMap(({ payload }) => parseCheckpoint(Buffer.from(payload).toString("utf8")) ?? []);
}

/** `checkpoints` is `undefined` when only what is beside the logs shall be believed. */
export async function verifyAudit(
    config: Config,
    output: Output,
    { earlierKeys }: VerifyWishes,
    checkpoints: readonly Checkpoint[] | undefined,
): Promise<ExitStatus> {
    const logs = auditLogs(config);
    if (logs.length === 0) {
        throw new DependencyError(
            "CLI_NOT_FOUND",
            `no audit log is in ${config["audit-logger"].directory} on this host`,
        );
    }
    const publicKeys = [signingKeyFile(config), ...earlierKeys].map((file) => readPublicKey(file));
    const known = checkpoints === undefined ? {} : { checkpoints };
    const report = await verifyInstallation({ logs, publicKeys, ...known, now: Date.now() });
    const intact = isIntact(report);
    if (output.json) output.result({ intact, ...report }, "");
    else describe(report, intact, output);
    return intact ? EXIT.ok : EXIT.notIntact;
}

/** Events that no log has may be in a log on another host. */
const isIntact = ({ chains, gaps, absentWriters }: InstallationReport): boolean =>
    chains.every(({ findings, omitted }) => findings.length + omitted === 0) &&
    (gaps.length === 0 || absentWriters.length > 0);

/** Logs of the instances that postern.yaml names, and of others that wrote beside them. */
function auditLogs(config: Config): WriterLog[] {
    const pattern = loadConfig(config.file)["audit-logger"].directory;
    const found = basename(pattern) === "{instance}" ? writersIn(dirname(pattern)) : [];
    const named = config.instances["audit-logger"].map((writer) => ({
        writer,
        directory: loadConfig(config.file, { service: "audit-logger", instance: writer })["audit-logger"].directory,
    }));
    const logs = new Map([...found, ...named].map((log) => [log.directory, log]));
    return [...logs.values()].filter(({ directory }) => existsSync(directory));
}

function writersIn(directory: string): WriterLog[] {
    if (!existsSync(directory)) return [];
    const entries = readdirSync(directory, { withFileTypes: true });
    const writers = entries.filter((entry) => entry.isDirectory() && InstanceId.safeParse(entry.name).success);
    return writers.map(({ name }) => ({ writer: name, directory: join(directory, name) }));
}

function signingKeyFile(config: Config): string {
    const { signingKey } = config["audit-logger"];
    if (signingKey !== undefined) return signingKey;
    throw new ConfigError(
        "CONFIG_INVALID",
        `${config.file}: audit-logger.signingKey says which key checkpoints are signed with`,
    );
}

const columns: readonly Column<ChainReport>[] = [
    { title: "WRITER", value: ({ writer }) => writer },
    { title: "RESULT", value: ({ findings, omitted }) => (findings.length + omitted === 0 ? "intact" : "NOT INTACT") },
    { title: "RECORDS", value: ({ records }) => records, align: "right" },
    { title: "FIRST", value: ({ first }) => first, align: "right" },
    { title: "LAST", value: ({ last }) => last, align: "right" },
    { title: "CHECKPOINTS", value: ({ checkpoints }) => checkpoints, align: "right" },
    { title: "NOT YET SIGNED", value: ({ uncovered }) => uncovered, align: "right" },
];

function describe({ chains, gaps, absentWriters }: InstallationReport, intact: boolean, output: Output): void {
    output.list(chains, columns, "");
    for (const { directory, findings, omitted } of chains) {
        for (const { kind, file, line, detail } of findings) {
            const place = [
                file === undefined ? directory : join(directory, file),
                ...(line === undefined ? [] : [line]),
            ];
            output.text(`${place.join(":")}: ${kind}: ${detail}`);
        }
        if (omitted > 0) output.text(`${directory}: ${omitted} more findings`);
    }
    for (const writer of absentWriters) output.text(`${writer} published checkpoints, its log is not on this host`);
    for (const { source, epoch, first, last } of gaps) {
        output.text(`${source}, epoch ${epoch}: events ${first} to ${last} are in none of these logs`);
    }
    if (!intact) output.text("The audit record is not intact.");
}
