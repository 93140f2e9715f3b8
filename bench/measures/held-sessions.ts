// Rows 7 and 8: a worker full of sessions; idle, for its memory, then with an echo a second each.
import { setTimeout as delay } from "node:timers/promises";
import { CURVE, RawTls } from "../ceiling/raw-tls.ts";
import { Crowd } from "../client/crowd.ts";
import { residentBytes, startCpuAccount } from "../cpu-account.ts";
import type { Measure, Scene } from "../measure.ts";
import { PosternPeer } from "../peers/postern.ts";
import { atMost, judge, judgeRatio, type Row } from "../report/row.ts";
import { createTopology, type Topology } from "../topology.ts";

const USERS = 40;
const CONCURRENCY = 16;
/** Each with fewer files than a process may open. */
const CLIENT_PROCESSES = 2;
const PING_EVERY = 1_000;
const KIBI = 1024;
const MICROSECONDS = 1e6;

export const heldSessions: Measure = { numbers: [7, 8], run };

/** On a network and with a worker of its own: memory is compared with that of a worker that has done nothing. */
async function run({ settings, say }: Scene): Promise<readonly Row[]> {
    await using topology = await createTopology();
    const bareKibibytes = await bareSockets(topology, settings.held, settings.idleSeconds);
    say(`bare TLS: ${bareKibibytes.toFixed(1)} KiB a socket`);
    await using postern = await PosternPeer.start(topology);
    const users = await postern.addUsers(USERS);
    await using crowd = Crowd.start(topology, { processes: CLIENT_PROCESSES });
    const empty = residentBytes(postern.worker);
    const begun = performance.now();
    const target = postern.target("worker");
    const question = { target, users, concurrency: CONCURRENCY, ecdhCurve: CURVE, resumes: false };
    await crowd.open({ ...question, count: settings.held });
    say(`${settings.held} sessions in ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
    await delay(settings.idleSeconds * 1_000);
    const kibibytes = (residentBytes(postern.worker) - empty) / settings.held / KIBI;
    say(`postern: ${kibibytes.toFixed(1)} KiB a session over ${Math.round(empty / KIBI / KIBI)} MiB`);
    const account = startCpuAccount({ worker: [postern.worker] });
    const { sent, lost, roundTrips } = await crowd.ping({ seconds: settings.holdSeconds, every: PING_EVERY });
    const cpu = (account().groups.worker / sent) * MICROSECONDS;
    const [p50, p99] = [roundTrips.quantile(0.5), roundTrips.quantile(0.99)];
    say(`${sent} pings, ${lost} lost, p50 ${p50} ms, p99 ${p99} ms, ${cpu.toFixed(1)} µs of worker CPU each`);
    return [
        {
            number: 7,
            title: `Memory of ${settings.held} idle sessions on one worker`,
            figures: [
                {
                    name: "Resident memory, over the empty process",
                    unit: "KiB per session",
                    series: [
                        { contender: "bare TLS socket", values: [bareKibibytes] },
                        { contender: "postern", values: [kibibytes] },
                    ],
                },
            ],
            verdicts: [
                judgeRatio("Memory of a session, to a bare TLS socket's", [kibibytes], [bareKibibytes], atMost(1.5)),
            ],
            notes: [
                `After ${settings.idleSeconds} s idle, without a forced collection; NATS and the registry are real.`,
            ],
        },
        {
            number: 8,
            title: `${settings.held} sessions, each pinging the gateway through the TUN device once a second`,
            figures: [
                { name: "Round trip p50", unit: "ms", series: [{ contender: "postern", values: [p50] }] },
                { name: "Round trip p99", unit: "ms", series: [{ contender: "postern", values: [p99] }] },
                { name: "Worker CPU", unit: "µs per echo", series: [{ contender: "postern", values: [cpu] }] },
            ],
            verdicts: [
                judge("Pings lost", "", [lost], atMost(0)),
                judge("Round trip p99", "ms", [p99], atMost(50)),
                judge("Worker CPU for each echo", "µs", [cpu], atMost(70)),
            ],
            notes: [`${sent} pings in ${settings.holdSeconds} s; clients and servers share this host.`],
        },
    ];
}

/** KiB for each. */
async function bareSockets(topology: Topology, count: number, idleSeconds: number): Promise<number> {
    await using raw = await RawTls.start(topology, { processes: CLIENT_PROCESSES });
    const empty = residentBytes(raw.server);
    await raw.connect(count);
    await delay(idleSeconds * 1_000);
    return (residentBytes(raw.server) - empty) / count / KIBI;
}
