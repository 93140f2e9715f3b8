import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryDirectory } from "@postern/testkit";
import {
    AuditLog,
    type Checkpoint,
    type InstallationReport,
    verifyInstallation,
    type WriterLog,
} from "../src/index.ts";
import { Clock, event, options, PUBLIC_KEYS } from "./sample-log.ts";

interface Written extends WriterLog {
    readonly published: readonly Checkpoint[];
}

async function write(root: string, writer: string, sequences: readonly number[], folder = writer): Promise<Written> {
    const directory = join(root, folder);
    const log = await AuditLog.open(options(directory, new Clock(), { writer }));
    await log.append(sequences.map((sequence) => event(sequence)));
    const checkpoint = await log.checkpoint();
    await log.close();
    return { writer, directory, published: checkpoint === undefined ? [] : [checkpoint] };
}

const verify = (logs: readonly Written[], published = logs, now = Infinity): Promise<InstallationReport> =>
    verifyInstallation({
        logs,
        publicKeys: PUBLIC_KEYS,
        checkpoints: published.flatMap((log) => log.published),
        now,
    });

test("writers that took turns have everything between them", async () => {
    await using root = await createTemporaryDirectory();
    const one = await write(root.path, "audit-1", [1, 2, 3, 8, 9]);
    const two = await write(root.path, "audit-2", [3, 4, 5, 6, 7]);
    const { chains, gaps, absentWriters } = await verify([one, two]);
    assert.deepEqual(
        chains.map(({ writer, findings, records }) => ({ writer, findings, records })),
        [
            { writer: "audit-1", findings: [], records: 6 },
            { writer: "audit-2", findings: [], records: 6 },
        ],
    );
    assert.deepEqual(gaps, []);
    assert.deepEqual(absentWriters, []);
});

test("an event that no writer has is a gap", async () => {
    await using root = await createTemporaryDirectory();
    const one = await write(root.path, "audit-1", [1, 2, 3, 9]);
    const two = await write(root.path, "audit-2", [4, 7]);
    const { gaps } = await verify([one, two]);
    const { source } = event(1).event;
    assert.deepEqual(gaps, [
        { source, epoch: 1, first: 5, last: 6 },
        { source, epoch: 1, first: 8, last: 8 },
    ]);
});

test("a writer whose log is elsewhere is named, since it may have what is missing", async () => {
    await using root = await createTemporaryDirectory();
    const one = await write(root.path, "audit-1", [1, 2, 5]);
    const two = await write(root.path, "audit-2", [3, 4]);
    const { gaps, absentWriters } = await verify([one], [one, two]);
    assert.equal(gaps.length, 1);
    assert.deepEqual(absentWriters, ["audit-2"]);
});

test("a chain that was lost with its directory is absent, and one that was moved aside is not", async () => {
    await using root = await createTemporaryDirectory();
    const old = await write(root.path, "audit-1", [1, 2], "audit-1.old");
    const next = await write(root.path, "audit-1", [3], "audit-1");
    const lost = await verify([next], [old, next]);
    assert.deepEqual(
        lost.chains[0]?.findings.map(({ kind, n, through }) => ({ kind, n, through })),
        [{ kind: "absent-chain", n: 1, through: 3 }],
    );
    const aside = await verify([old, next]);
    assert.deepEqual(
        aside.chains.map(({ findings }) => findings),
        [[], []],
    );
    assert.deepEqual(aside.gaps, []);
});

test("a directory that is gone as a whole is missed", async () => {
    await using root = await createTemporaryDirectory();
    const one = await write(root.path, "audit-1", [1, 2]);
    const { chains } = await verify([{ ...one, directory: join(root.path, "nowhere") }]);
    assert.deepEqual(chains[0]?.findings.map(({ kind }) => kind).sort(), ["checkpoint", "truncated"]);
});

test("what is stored while the logs are read is not held against them", async () => {
    await using root = await createTemporaryDirectory();
    const one = await write(root.path, "audit-1", [1, 2, 9]);
    const { storedAt } = event(2);
    assert.deepEqual((await verify([one], [one], storedAt)).gaps, []);
    assert.equal((await verify([one])).gaps.length, 1);
});
