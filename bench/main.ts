// `make bench`: every measure in one run, peers and ceilings interleaved.  Needs root.  See settings.ts for how long it takes.
import { cpus, loadavg, release, totalmem } from "node:os";
import { ConfigError } from "@postern/errors";
import type { Measure, Scene } from "./measure.ts";
import { bulkTcp } from "./measures/bulk-tcp.ts";
import { heldSessions } from "./measures/held-sessions.ts";
import { latency } from "./measures/latency.ts";
import { logins } from "./measures/logins.ts";
import { setUps } from "./measures/set-ups.ts";
import { setUpTime } from "./measures/set-up-time.ts";
import { shareOfRawTls } from "./measures/share-of-raw-tls.ts";
import { smallPackets } from "./measures/small-packets.ts";
import { stoppedReader } from "./measures/stopped-reader.ts";
import { OcservPeer } from "./peers/ocserv.ts";
import { PosternPeer } from "./peers/postern.ts";
import { writeDocument } from "./report/document.ts";
import { verdictTable } from "./report/markdown.ts";
import { isWhole, type Results, writeResults } from "./report/results.ts";
import type { Row } from "./report/row.ts";
import { settingsFrom } from "./settings.ts";
import { createTopology } from "./topology.ts";

const MEASURES: readonly Measure[] = [
    bulkTcp(1, 1, { throughIngress: true }),
    shareOfRawTls,
    bulkTcp(3, 8),
    smallPackets,
    latency,
    setUps,
    heldSessions,
    stoppedReader,
    setUpTime,
    logins,
];

// Before anything of ours runs.
const loadBefore = loadavg()[0] ?? 0;
const settings = settingsFrom(process.env);
const unknown = settings.rows.filter((row) => !MEASURES.some(({ numbers }) => numbers.includes(row)));
if (unknown.length > 0) throw new ConfigError("CONFIG_INVALID", `BENCH_ROWS: there is no row ${unknown.join(", ")}`);
const begun = performance.now();
const say = (line: string): void => {
    const seconds = ((performance.now() - begun) / 1_000).toFixed(0).padStart(5);
    process.stdout.write(`${seconds}s  ${line}\n`);
};
const wanted = MEASURES.filter(
    ({ numbers }) => settings.rows.length === 0 || numbers.some((number) => settings.rows.includes(number)),
);

await using topology = await createTopology();
await using ocserv = await OcservPeer.start(topology);
await using postern = await PosternPeer.start(topology);
const scene: Scene = { settings, topology, ocserv, postern, say };

const rows: Row[] = [];
const results: Results = {
    date: new Date().toISOString(),
    settings,
    host: {
        cores: cpus().length,
        model: cpus()[0]?.model ?? "unknown",
        memoryBytes: totalmem(),
        kernel: release(),
        node: process.version,
        loadBefore,
    },
    rows,
};
for (const measure of wanted) {
    say(`row ${measure.numbers.join(" and ")}`);
    rows.push(...(await measure.run(scene)));
    // After each, so that a run that is broken off leaves what it has.
    const file = writeResults(results);
    say(`written to ${file}`);
}
if (isWhole(settings)) writeDocument(results);
process.stdout.write(`\n${verdictTable(rows)}\n`);
