// Set-up time of new MS-CHAPv2 sessions at a steady rate against a whole installation (`make start`), from TCP accept to IPCP open.
// The figure is the client's; where the time goes on the server is in the worker's own marks (in `session.started`).
// Client and servers share this host's cores, so the figures are an upper bound for a server of the same size.
import { cpus, loadavg } from "node:os";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { DIAL_STEPS, type DialTimings, percentilesOf, SstpClient } from "@postern/sstp-client";
import { eventually } from "@postern/testkit";
import { Installation } from "../test/e2e/installation.ts";

const RATE = 20;
const COUNT = 400;
/** Sessions before those that count: services that have just started run code that is not compiled yet. */
const WARM_UP = 400;
const USERS = 24;
/** Milliseconds that a session lasts. */
const STAY = 500;
const PORT = 14_441;
/** Of /proc/<pid>/stat on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;
const RESULTS = path.join(import.meta.dirname, "results");

await using postern = await Installation.start({ port: PORT });
const users = await addUsers(postern, USERS);
await using events = await postern.watchEvents();
const { sstp, ca } = postern.ready;
const authority = readFileSync(ca, "utf8");
const started = (): number => events.events.filter(({ type }) => type === "postern.session.started.v1").length;

/** As a morning is: many users from many addresses, each of whom stays; here for a second. */
async function dialAll(count: number): Promise<{ timings: DialTimings[]; failures: string[] }> {
    const begun = performance.now();
    const timings: DialTimings[] = [];
    const failures: string[] = [];
    const dial = async (index: number): Promise<void> => {
        await delay(Math.max(0, begun + (index * 1_000) / RATE - performance.now()));
        const { user, password } = users[index % users.length] ?? { user: "", password: "" };
        const localAddress = `127.0.1.${(index % 200) + 1}`;
        const target = { host: "127.0.0.1", port: sstp.port, servername: sstp.host, ca: authority, localAddress };
        try {
            const tunnel = await SstpClient.connect({ ...target, user, password, method: "mschapv2" });
            timings.push(tunnel.timings);
            await delay(STAY);
            await tunnel.disconnect();
        } catch (error) {
            failures.push(String(error));
        }
    };
    await Promise.all(Array.from({ length: count }, (_, index) => dial(index)));
    return { timings, failures };
}

const warm = await dialAll(WARM_UP);
await eventually(() => assert.ok(started() >= warm.timings.length), { within: 30_000 });
const first = started();
const loadBefore = loadavg()[0] ?? 0;
const cpuBefore = cpuSeconds(postern.ready.pids);
const measured = await dialAll(COUNT);
const cpuAfter = cpuSeconds(postern.ready.pids);
await eventually(() => assert.ok(started() >= first + measured.timings.length), { within: 30_000 });
const marks = events.events
    .filter(({ type }) => type === "postern.session.started.v1")
    .slice(first)
    .map(({ data }) => (data as { setupMilliseconds: Readonly<Record<string, number>> }).setupMilliseconds); // of session.started
const steps = ["tls", "http", "sstp", "lcp", "authenticated", "bound"] as const;

const result = {
    benchmark: "session-setup",
    rate: RATE,
    sessions: COUNT,
    failures: [...warm.failures, ...measured.failures],
    host: { cores: cpus().length, model: cpus()[0]?.model ?? "unknown", loadBefore },
    node: process.version,
    asked: { p50: 60, p99: 250 },
    /** Milliseconds from TCP accept, as the client sees it, to IPCP open, as the client sees it: what is asked for. */
    setup: setupOf(measured.timings),
    /** The same of the sessions before: the first twenty seconds of a fleet's life. */
    setupAfterStart: setupOf(warm.timings),
    /** CPU milliseconds of all processes of a service (and of this client) for each session. */
    cpuPerSession: Object.fromEntries(
        Object.entries(cpuAfter).map(([group, seconds]) => [
            group,
            round((1_000 * (seconds - (cpuBefore[group] ?? 0))) / COUNT),
        ]),
    ),
    /** Milliseconds since the worker accepted the connection. */
    server: Object.fromEntries(steps.map((step) => [step, percentilesOf(marks.flatMap((mark) => mark[step] ?? []))])),
    /** Milliseconds since the client began to connect. */
    client: Object.fromEntries(
        DIAL_STEPS.map((step) => [step, percentilesOf(measured.timings.map((timing) => timing[step]))]),
    ),
};
mkdirSync(RESULTS, { recursive: true });
writeFileSync(path.join(RESULTS, "session-setup.json"), `${JSON.stringify(result, undefined, 2)}\n`);
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);

async function addUsers(installation: Installation, count: number): Promise<{ user: string; password: string }[]> {
    const added: { user: string; password: string }[] = [];
    for (let index = 0; index < count; index += 1) {
        const user = `bench-${index}`;
        const password = crypto.randomUUID();
        await installation.posternWithInput(`${password}\n`, "user", "add", user);
        added.push({ user, password });
    }
    return added;
}

/** User and system time of every group of processes, from /proc/<pid>/stat (proc(5)), in seconds. */
function cpuSeconds(pids: Readonly<Record<string, readonly number[]>>): Record<string, number> {
    const groups = { ...pids, client: [process.pid] };
    return Object.fromEntries(
        Object.entries(groups).map(([group, list]) => [group, list.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0)]),
    );
}

function cpuSecondsOf(pid: number): number {
    // The name in brackets may hold blanks: fields are counted behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

function setupOf(timings: readonly DialTimings[]) {
    return percentilesOf(timings.map(({ tcp, ipcp }) => ipcp - tcp));
}

function round(value: number): number {
    return Math.round(value * 10) / 10;
}
