// One installation, hundreds of sessions with traffic, one fault after the other; after each the three accounts are compared.
// CHAOS_CLIENTS: how many clients (default 500).  CHAOS=brief: only the faults that every run of the tests has.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { percentilesOf } from "@postern/sstp-client";
import { ALL_FAULTS } from "./faults/all-faults.ts";
import { Stage } from "./stage.ts";

const CLIENTS = Number(process.env["CHAOS_CLIENTS"] ?? 500);
const isBrief = process.env["CHAOS"] === "brief";
const faults = isBrief ? ALL_FAULTS.filter((fault) => fault.isBrief) : ALL_FAULTS;
/** Set-up of one session takes about 45 ms of CPU time of all processes together. */
const RATE = 15;
const SETTLE_WITHIN = 60_000;
/** Milliseconds: four of 500 clients hang up and dial again in a second. */
const MEAN_LIFE = 120_000;
/** For dials and farewells that are under way. */
const CALM_WITHIN = 60_000;

interface Row {
    readonly fault: string;
    readonly lost: number;
    readonly expected: number;
    readonly missing: number;
    readonly doubled: number;
    /** Seconds from the injection until every client is connected and every service is ready. */
    readonly ready: number;
    /** Pings without a reply meanwhile. */
    readonly unanswered: number;
    readonly asDesigned: boolean;
}

const rows: Row[] = [];
let stage: Stage;

before(async () => {
    stage = await Stage.open({ clients: CLIENTS, rate: RATE, meanLife: MEAN_LIFE, isBreakable: !isBrief });
});

after(async () => {
    process.stdout.write(`\n${table(rows)}\n`);
    await stage[Symbol.asyncDispose]();
});

test(`${CLIENTS} clients are in, and the accounts agree`, async (t) => {
    const comparison = await stage.compareAccounts(SETTLE_WITHIN);
    assert.deepEqual(comparison, { missing: [], doubled: [], disagreements: [] });
    t.diagnostic(JSON.stringify(percentilesOf([...stage.population.pings.roundTrips])));
});

for (const { name, isCalm = false, costs, inject } of faults) {
    test(name, async (t) => {
        const { population } = stage;
        // Whose sessions it will cost can be said only while nobody comes and goes; where it costs none, they do.
        await population.becomeCalm(CALM_WITHIN);
        const expected = new Set(await costs(stage));
        population.isCalm = isCalm || expected.size > 0;
        population.forgetPings();
        const begun = performance.now();
        await inject(stage);
        // With somebody hanging up every quarter of a second there would hardly be a moment with everybody in.
        population.isCalm = true;
        await stage.untilReady();
        await population.untilConnected(120_000);
        population.isCalm = false;
        const ready = (performance.now() - begun) / 1_000;
        const comparison = await stage.compareAccounts(SETTLE_WITHIN);
        const lost = new Set(population.lostSince(begun));
        t.diagnostic(JSON.stringify(population.troublesSince(begun)));
        const asDesigned =
            lost.symmetricDifference(expected).size === 0 &&
            comparison.missing.length + comparison.doubled.length + comparison.disagreements.length === 0;
        rows.push({
            fault: name,
            lost: lost.size,
            expected: expected.size,
            missing: comparison.missing.length,
            doubled: comparison.doubled.length,
            ready,
            unanswered: population.pings.unanswered,
            asDesigned,
        });
        assert.deepEqual(comparison, { missing: [], doubled: [], disagreements: [] });
        assert.deepEqual([...lost].sort(), [...expected].sort(), "the sessions that it costs by design, and no other");
    });
}

test("the audit log is whole, without a gap", async () => {
    await stage.population.stop();
    const { missing, doubled, disagreements } = await stage.compareAccounts(SETTLE_WITHIN);
    assert.deepEqual({ missing, doubled, disagreements }, { missing: [], doubled: [], disagreements: [] });
    const report = await stage.postern.query<{ intact: boolean; gaps: unknown[] }>("audit", "verify");
    assert.deepEqual({ intact: report.intact, gaps: report.gaps }, { intact: true, gaps: [] });
});

function table(all: readonly Row[]): string {
    const lines = all.map(({ fault, lost, expected, missing, doubled, ready, unanswered, asDesigned }) =>
        [
            fault,
            `${lost}`,
            `${expected}`,
            `${missing}`,
            `${doubled}`,
            `${ready.toFixed(1)} s`,
            `${unanswered}`,
            asDesigned ? "yes" : "NO",
        ].join(" | "),
    );
    const head =
        "fault | sessions lost | by design | events missing | events doubled | ready after | pings unanswered | as designed";
    return [`| ${head} |`, `|${" --- |".repeat(8)}`, ...lines.map((line) => `| ${line} |`)].join("\n");
}
