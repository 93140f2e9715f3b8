// `make soak`: random kills for an hour (SOAK_SECONDS), clients that come and go, and the accounts compared all the while.
// Ends with status 1 when anything is lost or doubled that must not be; prints a summary either way.
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { ServiceName } from "@postern/contracts";
import { Stage, type Target } from "./stage.ts";

const SECONDS = Number(process.env["SOAK_SECONDS"] ?? 3_600);
const CLIENTS = Number(process.env["SOAK_CLIENTS"] ?? 100);
const RATE = 10;
const MEAN_LIFE = 60_000;
/** Milliseconds between two kills. */
const [PAUSE_MIN, PAUSE_MAX] = [5_000, 25_000];
const COMPARE_EVERY = 120_000;
const SETTLE_WITHIN = 90_000;
const SERVICES = ["ingress", "session-worker", "auth-broker", "session-registry", "audit-logger", "nats"] as const;

type Victim = { readonly service: ServiceName | "nats"; readonly number: number };

const kills: Record<string, number> = {};
const problems: string[] = [];
const memory: Record<string, number[]> = {};
let lostInAll = 0;

await using stage = await Stage.open({ clients: CLIENTS, rate: RATE, meanLife: MEAN_LIFE });
const { population } = stage;
const begun = performance.now();
let comparedAt = begun;
while (performance.now() - begun < SECONDS * 1_000) {
    await delay(PAUSE_MIN + Math.random() * (PAUSE_MAX - PAUSE_MIN));
    await killSome();
    if (performance.now() - comparedAt < COMPARE_EVERY) continue;
    await compareNow();
    comparedAt = performance.now();
}
await stage.untilReady();
await population.untilConnected(120_000).catch((error: unknown) => problems.push(String(error)));
await population.stop();
await compareNow();
const report = await stage.postern.query<{ intact: boolean; gaps: unknown[] }>("audit", "verify");
if (!report.intact || report.gaps.length > 0) problems.push(`the audit log: ${JSON.stringify(report).slice(0, 500)}`);
const { sessions } = stage.audit();
process.stdout.write(
    `${JSON.stringify(
        {
            seconds: Math.round((performance.now() - begun) / 1_000),
            clients: CLIENTS,
            ...population.totals,
            sessionsInAuditLog: sessions.length,
            kills,
            sessionsLost: lostInAll,
            ends: countBy(sessions.flatMap(({ ends }) => ends.map(({ reason }) => reason))),
            lateCounters: sessions.reduce((sum, { lateCounters }) => sum + lateCounters, 0),
            memory: Object.fromEntries(Object.entries(memory).map(([who, samples]) => [who, summary(samples)])),
            problems,
        },
        undefined,
        2,
    )}\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

/** One process, and at every third time two; what they may cost is asked before. */
async function killSome(): Promise<void> {
    const drawn = Array.from({ length: Math.random() < 1 / 3 ? 2 : 1 }, () => anyVictim());
    const [first, second] = drawn;
    const isTwice = first?.service === second?.service && first?.number === second?.number;
    const victims = isTwice ? drawn.slice(0, 1) : drawn;
    // Somebody may be dead still from the last time.
    await stage.untilReady();
    await population.becomeCalm(120_000).catch((error: unknown) => problems.push(String(error)));
    const allowed = new Set((await Promise.all(victims.map(costOf))).flat());
    const at = performance.now();
    for (const { service } of victims) kills[service] = (kills[service] ?? 0) + 1;
    await stage.kill(...victims.map(({ service, number }): Target => [service, number]));
    await stage.untilReady().catch((error: unknown) => problems.push(String(error)));
    const lost = population.lostSince(at);
    lostInAll += lost.length;
    const tooMuch = lost.filter((source) => !allowed.has(source));
    if (tooMuch.length > 0) {
        const who = victims.map(({ service, number }) => `${service} ${number}`).join(" and ");
        problems.push(
            `${who} killed: ${tooMuch.length} sessions of parts that live: ${tooMuch.slice(0, 5).join(", ")}`,
        );
    }
    population.isCalm = false;
}

function anyVictim(): Victim {
    const service = SERVICES[Math.floor(Math.random() * SERVICES.length)] ?? "nats";
    return { service, number: service === "nats" ? 1 : 1 + Math.floor(Math.random() * 2) };
}

async function costOf({ service, number }: Victim): Promise<readonly string[]> {
    if (service === "session-worker") return stage.clientsOfWorker(`worker-${number}`);
    return service === "ingress" ? stage.clientsOfProcess(stage.pid("ingress", number)) : [];
}

async function compareNow(): Promise<void> {
    await stage.untilReady().catch((error: unknown) => problems.push(String(error)));
    const { missing, doubled, disagreements } = await stage.compareAccounts(SETTLE_WITHIN);
    for (const problem of [...missing, ...doubled, ...disagreements]) problems.push(problem);
    for (const [service, pids] of Object.entries(stage.postern.ready.pids)) {
        for (const [index, pid] of pids.entries())
            (memory[`${service} ${index + 1}`] ??= []).push(residentMegabytes(pid));
    }
    const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
    process.stdout.write(
        `${minutes} min: ${JSON.stringify({ kills, lost: lostInAll, ...population.totals, problems: problems.length })}\n`,
    );
}

/** VmRSS of proc(5). */
function residentMegabytes(pid: number): number {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Math.round(Number(match?.[1]) / 1_024);
}

function summary(samples: readonly number[]) {
    return { first: samples[0], last: samples.at(-1), most: Math.max(...samples) };
}

function countBy(values: readonly string[]): Record<string, number> {
    return Object.fromEntries([...Map.groupBy(values, (value) => value)].map(([value, list]) => [value, list.length]));
}
