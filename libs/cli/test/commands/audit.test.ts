import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AuditLog, readSigningKey, type NewRecord } from "@postern/audit-log";
import { DependencyError } from "@postern/errors";
import { publishedCheckpoints, verifyAudit } from "../../src/commands/audit.ts";
import { EXIT, type ExitStatus } from "../../src/exit-status.ts";
import type { Output } from "../../src/output.ts";
import { createInstallation, type TestInstallation } from "../test-installation.ts";

const RECORDS = 10;
let shared: TestInstallation;
const directoryIn = (installation: TestInstallation): string => join(installation.directory, "audit/audit-1");

before(async () => (shared = await createInstallation()));
after(() => shared[Symbol.asyncDispose]());

function record(sequence: number): NewRecord {
    const [source, now] = ["postern/main/session-worker/worker-1", Date.now()];
    const event = {
        specversion: "1.0" as const,
        id: `${source}/1/${sequence}`,
        source,
        type: "postern.session.started.v1",
        subject: `session${sequence}`,
        time: new Date(now).toISOString(),
        datacontenttype: "application/json" as const,
        instance: "worker-1",
        epoch: 1,
        sequence,
        data: { principal: "kim" },
    };
    return { streamSequence: sequence, storedAt: now, event };
}

/** A log as the audit-logger `audit-1` leaves it, its last checkpoint published. */
async function writeLog(installation: TestInstallation, sequences: readonly number[]): Promise<void> {
    const directory = directoryIn(installation);
    await rm(directory, { recursive: true, force: true });
    const log = await AuditLog.open({
        directory,
        writer: "audit-1",
        key: readSigningKey(join(installation.directory, "keys/audit.key")),
        segmentBytes: 2 ** 20,
        segmentAge: 86_400_000,
        retainAge: 86_400_000,
        retainBytes: 2 ** 30,
        now: () => new Date(),
    });
    await log.append(sequences.map(record));
    const checkpoint = await log.checkpoint();
    await log.close();
    await installation.bus.publish(installation.bus.subjects.checkpoint("audit-1"), JSON.stringify(checkpoint));
}

async function verify(
    installation = shared,
    offline = false,
): Promise<{ status: ExitStatus | undefined; text: string }> {
    let status: ExitStatus | undefined;
    const checkpoints = offline ? undefined : await publishedCheckpoints(installation.bus);
    const act = async (output: Output): Promise<void> => {
        status = await verifyAudit(installation.config, output, { earlierKeys: [] }, checkpoints);
    };
    return { text: await installation.printed(act), status };
}

async function logFile(): Promise<string> {
    const [segment = ""] = (await readdir(directoryIn(shared))).filter((name) => name.endsWith(".ndjson"));
    return join(directoryIn(shared), segment);
}

test("without a log there is nothing to verify", async () => {
    await assert.rejects(verify(), (error) => error instanceof DependencyError && error.code === "CLI_NOT_FOUND");
});

test("a log that was left alone is intact, by its own checkpoints and by those of the bus", async () => {
    await writeLog(
        shared,
        Array.from({ length: RECORDS }, (_, index) => index + 1),
    );
    for (const offline of [false, true]) {
        const { status, text } = await verify(shared, offline);
        assert.equal(status, EXIT.ok, text);
        assert.match(text, /^audit-1\tintact\t11\t1\t11\t\d+\t0$/m);
    }
});

test("a changed record is found, with its place", async () => {
    const file = await logFile();
    const original = await readFile(file, "utf8");
    await writeFile(file, original.replace('"subject":"session5"', '"subject":"session6"'));
    const { status, text } = await verify();
    assert.equal(status, EXIT.notIntact);
    assert.match(text, /^audit-1\tNOT INTACT/m);
    assert.ok(text.includes(`${file}:6: changed: `), text);
    await writeFile(file, original);
    assert.equal((await verify()).status, EXIT.ok);
});

test("an end that was cut off together with its checkpoints is found by those of the bus", async () => {
    const file = await logFile();
    const lines = (await readFile(file, "utf8")).split("\n");
    await writeFile(file, `${lines.slice(0, 5).join("\n")}\n`);
    for (const name of await readdir(directoryIn(shared))) {
        if (name.includes("checkpoint")) await writeFile(join(directoryIn(shared), name), "");
    }
    const { status, text } = await verify();
    assert.equal(status, EXIT.notIntact);
    assert.match(text, /truncated/);
});

test("events that a source had and the log has not are a gap", async () => {
    await using installation = await createInstallation();
    await writeLog(installation, [1, 2, 3, 7, 8]);
    const { status, text } = await verify(installation);
    assert.equal(status, EXIT.notIntact);
    assert.match(text, /postern\/main\/session-worker\/worker-1, epoch 1: events 4 to 6 are in none of these logs/);
});
