// Set-up time of new MS-CHAPv2 sessions at a steady rate against a whole installation (`make start`), from TCP accept to IPCP open.
// Both sides are measured: the worker's own marks (in `session.started`, from accept) and the client's (from connect).
// Client and servers share this host's cores, so the figures are an upper bound for a server of the same size.
import { cpus, loadavg } from "node:os";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { openMany, percentilesOf } from "@postern/sstp-client";
import { eventually } from "@postern/testkit";
import { Installation } from "../test/e2e/installation.ts";

const RATE = 20;
const COUNT = 400;
const WARM_UP = 40;
const PORT = 14_441;
const RESULTS = path.join(import.meta.dirname, "results");

await using postern = await Installation.start({ port: PORT });
await using events = await postern.watchEvents();
const { sstp, user, password, ca } = postern.ready;
const options = {
    host: "127.0.0.1",
    port: sstp.port,
    servername: sstp.host,
    ca: readFileSync(ca, "utf8"),
    user,
    password,
    method: "mschapv2",
} as const;

const warm = await openMany({ count: WARM_UP, rate: RATE, client: () => options });
const loadBefore = loadavg()[0] ?? 0;
const measured = await openMany({ count: COUNT, rate: RATE, client: () => options });
await eventually(() => {
    const started = events.events.filter(({ type }) => type === "postern.session.started.v1").length;
    if (started < WARM_UP + COUNT) throw new Error(`${started} sessions started`); // read by eventually alone
});
const marks = events.events
    .filter(({ type }) => type === "postern.session.started.v1")
    .slice(WARM_UP)
    .map(({ data }) => (data as { setupMilliseconds: Readonly<Record<string, number>> }).setupMilliseconds);
const steps = ["tls", "http", "sstp", "lcp", "authenticated", "bound", "ipv4"] as const;

const result = {
    benchmark: "session-setup",
    rate: RATE,
    sessions: COUNT,
    failures: measured.failures.length + warm.failures.length,
    host: { cores: cpus().length, model: cpus()[0]?.model ?? "unknown", loadBefore },
    node: process.version,
    asked: { p50: 60, p99: 250 },
    /** Milliseconds since the worker accepted the connection. */
    server: Object.fromEntries(steps.map((step) => [step, percentilesOf(marks.flatMap((mark) => mark[step] ?? []))])),
    /** Milliseconds since the client began to connect. */
    client: measured.timings,
};
await Promise.all([...warm.clients, ...measured.clients].map((client) => client.disconnect()));
mkdirSync(RESULTS, { recursive: true });
writeFileSync(path.join(RESULTS, "session-setup.json"), `${JSON.stringify(result, undefined, 2)}\n`);
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
