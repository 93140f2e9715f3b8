// Row 9: one client that stops reading, among busy ones.
import { setTimeout as delay } from "node:timers/promises";
import { CURVE } from "../ceiling/raw-tls.ts";
import { Crowd } from "../client/crowd.ts";
import { residentBytes } from "../cpu-account.ts";
import type { Measure, Scene } from "../measure.ts";
import { atLeast, atMost, judge, judgeRatio, type Row } from "../report/row.ts";
import { interleave } from "../rounds.ts";

const BUSY = 100;
const MIN_ROUNDS = 5;
const USERS = 10;
/** Pings that each busy session has on their way, and octets of each. */
const WINDOW = 2;
const SIZE = 1_300;
/** Answers that the one asks for; not read, they fill every queue on the way within seconds. */
const PER_SECOND = 2_000;
const FILL = 2_000;
const KIBI = 1024;
/** Stopped at once, for the memory of one of them to be seen among everything else that a process allocates. */
const STOPPED = 50;
const STOPPED_PER_SECOND = 200;
const STOPPED_FILL = 8_000;
/** `session-worker.limits.queuedData`, by default. */
const LIMIT_KIBI = 256;

export const stoppedReader: Measure = { numbers: [9], run: async (scene) => [await run(scene)] };

async function run({ topology, settings, postern, say }: Scene): Promise<Row> {
    const users = await postern.addUsers(USERS, "reader");
    await using others = Crowd.start(topology);
    await using one = Crowd.start(topology);
    const question = { target: postern.target("worker"), users, concurrency: 8, ecdhCurve: CURVE, resumes: false };
    await others.open({ ...question, count: BUSY });
    const beside = (reads: boolean) => async (): Promise<number> => {
        await one.open({ ...question, count: 1 });
        await one.stall({ perSecond: PER_SECOND, size: SIZE, reads });
        await delay(FILL);
        const answered = await others.busy({ seconds: settings.seconds, window: WINDOW, size: SIZE });
        await one.endStall();
        await one.close();
        const perSecond = answered / settings.seconds;
        say(`beside one that ${reads ? "reads" : "does not read"}: ${Math.round(perSecond)} echoes/s`);
        return perSecond;
    };
    const samples = await interleave(Math.max(MIN_ROUNDS, settings.rounds), {
        "one reads": beside(true),
        "one has stopped": beside(false),
    });
    await one.open({ ...question, count: STOPPED });
    const before = residentBytes(postern.worker);
    await one.stall({ perSecond: STOPPED_PER_SECOND, size: SIZE, reads: false });
    await delay(STOPPED_FILL);
    const grown = (residentBytes(postern.worker) - before) / STOPPED / KIBI;
    say(`a stopped session: ${grown.toFixed(0)} KiB`);
    return {
        number: 9,
        title: `A stopped reader among ${BUSY} busy sessions`,
        figures: [
            {
                name: `Echoes of ${SIZE} bytes of the others`,
                unit: "per second",
                series: Object.entries(samples).map(([contender, values]) => ({ contender, values })),
            },
            {
                name: "Growth of the worker for each stopped session",
                unit: "KiB",
                series: [{ contender: "postern", values: [grown] }],
            },
        ],
        verdicts: [
            judgeRatio(
                "Throughput of the others beside one that has stopped, to beside one that reads",
                samples["one has stopped"],
                samples["one reads"],
                atLeast(0.95),
            ),
            judge("Memory of a stopped session", "KiB", [grown], atMost(LIMIT_KIBI)),
        ],
        notes: [
            `The one asks for ${PER_SECOND} echoes of ${SIZE} bytes a second, whether it reads them or not.`,
            `Memory: of ${STOPPED} that stop at once, after ${STOPPED_FILL / 1_000} s; the limit is \`session-worker.limits.queuedData\`.`,
        ],
    };
}
