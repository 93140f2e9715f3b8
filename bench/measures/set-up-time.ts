// Row 10: how long a client waits for its session, at a steady rate through the ingresses.
import { percentilesOf } from "@postern/sstp-client";
import { InvariantError } from "@postern/errors";
import { Crowd } from "../client/crowd.ts";
import { startCpuAccount } from "../cpu-account.ts";
import type { Measure, Scene } from "../measure.ts";
import { atMost, judge, type Row } from "../report/row.ts";

const RATE = 20;
/** Milliseconds that a session lasts. */
const STAY = 500;
const USERS = 8;
/** Rounds before the one that counts: services that have just started run code that is not compiled yet. */
const WARM_UP = 1;
const SERVICES = ["session-worker", "ingress", "auth-broker", "session-registry", "audit-logger", "nats"];
const MILLISECONDS = 1_000;

export const setUpTime: Measure = { numbers: [10], run: async (scene) => [await run(scene)] };

async function run({ topology, settings, postern, say }: Scene): Promise<Row> {
    const users = await postern.addUsers(USERS, "visitor");
    await using crowd = Crowd.start(topology);
    const question = { target: postern.target("ingress"), users, count: settings.setUps, rate: RATE, stay: STAY };
    for (let round = 0; round < WARM_UP; round += 1) await crowd.visit(question);
    const account = startCpuAccount(Object.fromEntries(SERVICES.map((service) => [service, postern.pids(service)])));
    const times = await crowd.visit(question);
    const { groups } = account();
    const percentiles = percentilesOf(times);
    if (percentiles === undefined) throw new InvariantError("no session was set up");
    const { p50, p99 } = percentiles;
    say(`set-up p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
    return {
        number: 10,
        title: `Time of a set-up at ${RATE} a second`,
        figures: [
            {
                name: "From the accepted connection to IPCP, as the client sees it",
                unit: "ms",
                series: [
                    { contender: "p50", values: [p50] },
                    { contender: "p99", values: [p99] },
                ],
            },
            {
                name: "CPU of a session, from its beginning to its end",
                unit: "ms",
                series: Object.entries(groups).map(([contender, seconds]) => ({
                    contender,
                    values: [(seconds * MILLISECONDS) / settings.setUps],
                })),
            },
        ],
        verdicts: [
            judge("Set-up time, p50", "ms", [p50], atMost(60)),
            judge("Set-up time, p99", "ms", [p99], atMost(250)),
        ],
        notes: [
            `${settings.setUps} sessions of ${STAY} ms after as many that do not count; client and servers share this host.`,
        ],
    };
}
