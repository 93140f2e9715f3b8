import assert from "node:assert/strict";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { InstallationReport } from "@postern/audit-log";
import { eventually, mountSmallDisk, waitForValue } from "@postern/testkit";
import { Installation, type RunningLogger } from "./installation.ts";

// The server takes a silent instance for gone after ten seconds, and gives out again what that one had after ten more.
const TURN = { within: 45_000, every: 200 };
const EVENTS_A_ROUND = 2_500;

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const ascending = (sequences: readonly number[]): number[] => sequences.toSorted((a, b) => a - b);
const isRecording = (logger: RunningLogger): boolean => logger.output().includes("this instance records");

/** Octets of all records. */
async function sizeOf(directory: string): Promise<number> {
    const files = (await readdir(directory)).filter((file) => /^\d{12}-/.test(file));
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(directory, file))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
}

function assertSound({ chains, gaps, absentWriters }: InstallationReport): void {
    for (const { findings, checkpoints } of chains) {
        assert.deepEqual(findings, []);
        assert.ok(checkpoints > 0, "checkpoints prove it");
    }
    assert.deepEqual({ gaps, absentWriters }, { gaps: [], absentWriters: [] });
}

// Mostly waiting for the server, so all at once.
suite("audit-loggers as processes", { concurrency: true }, () => {
    test("killed three times while it records: every event is in the log once, in order", async (t) => {
        await using installation = await Installation.start();
        for (let kills = 0; kills < 3; kills += 1) {
            const logger = await installation.logger("a1");
            const publishing = installation.publish(EVENTS_A_ROUND);
            const before = await sizeOf(installation.directoryOf("a1"));
            await eventually(
                async () => assert.ok((await sizeOf(installation.directoryOf("a1"))) > before, logger.output()),
                { ...TURN, every: 1, what: "records on disk" },
            );
            await logger.kill();
            await publishing;
            const recorded = await installation.recorded("a1");
            const { published } = installation;
            t.diagnostic(`killed with ${recorded.length} of ${published} events recorded`);
            assert.deepEqual(recorded, upTo(recorded.length));
            assert.ok(recorded.length < published, "it was killed at work");
        }
        await using logger = await installation.logger("a1");
        const all = upTo(installation.published);
        await eventually(async () => assert.deepEqual(await installation.recorded("a1"), all), {
            ...TURN,
            what: "everything to be recorded",
        });
        assert.ok(!logger.output().includes("events are missing"), logger.output());
        assert.equal(logger.process.exitCode, null, logger.output());
        await eventually(async () => assertSound(await installation.verify("a1")), { what: "the log to be sound" });
    });

    test("the standby takes over from an instance that is killed, and nothing is lost", async (t) => {
        await using installation = await Installation.start();
        const loggers = await Promise.all(["a1", "a2"].map((instance) => installation.logger(instance)));
        await installation.publish(100);
        const active = await waitForValue(() => loggers.find(isRecording), { ...TURN, what: "one to record" });
        const standby = loggers.find((logger) => logger !== active);
        assert.ok(standby !== undefined);
        const publishing = installation.publish(1_000);
        await eventually(
            async () => assert.ok((await installation.recorded(active.instance)).length > 100, active.output()),
            { ...TURN, every: 1, what: "it to be at work" },
        );
        assert.ok(!isRecording(standby), "one at a time");

        await active.kill();
        const killedAt = performance.now();
        await eventually(() => assert.ok(isRecording(standby), standby.output()), {
            ...TURN,
            every: 20,
            what: "the standby to record",
        });
        t.diagnostic(`taken over after ${Math.round(performance.now() - killedAt)} ms`);
        await publishing;
        await installation.publish(50);

        const { published } = installation;
        await eventually(
            async () => {
                const logs = [await installation.recorded("a1"), await installation.recorded("a2")];
                for (const log of logs) assert.equal(new Set(log).size, log.length, "once in a log");
                const either = ascending([...new Set(logs.flat())]);
                assert.deepEqual(either, upTo(published));
            },
            { ...TURN, what: "everything to be recorded" },
        );
        await eventually(async () => assertSound(await installation.verify("a1", "a2")), {
            what: "the logs to be sound",
        });
    });

    test("with a full disk it is not ready and events wait; with room again they are recorded", async () => {
        await using disk = await mountSmallDisk();
        await using installation = await Installation.start(disk.path);
        await using logger = await installation.logger("a1");
        await installation.publish(50);
        await eventually(async () => assert.deepEqual(await installation.recorded("a1"), upTo(50)), {
            ...TURN,
            what: "events to be recorded",
        });

        await disk.fill();
        await installation.publish(400);
        const { text } = await waitForValue(
            async () => {
                const readiness = await logger.readiness();
                return readiness.status === 503 && readiness.text.includes("ENOSPC") ? readiness : undefined;
            },
            { ...TURN, what: "it not to be ready" },
        );
        assert.match(text, /AUDIT_LOG_UNUSABLE/);
        const recorded = await installation.recorded("a1");
        assert.deepEqual(recorded, upTo(recorded.length));
        assert.ok(recorded.length < installation.published, "the rest waits");

        await disk.free();
        await eventually(async () => assert.deepEqual(await installation.recorded("a1"), upTo(450)), {
            ...TURN,
            what: "what waited to be recorded",
        });
        await eventually(async () => assert.equal((await logger.readiness()).status, 200), {
            ...TURN,
            what: "it to be ready again",
        });
        assert.equal(logger.process.exitCode, null);
        await eventually(async () => assertSound(await installation.verify("a1")), { what: "the log to be sound" });
    });
});
