// Row 9: one client that stops reading, among busy ones.
import { setTimeout as delay } from "node:timers/promises";
import { CURVE } from "../ceiling/raw-tls.ts";
import { Crowd } from "../client/crowd.ts";
import { residentBytes } from "../cpu-account.ts";
import type { Measure, Scene } from "../measure.ts";
import { atLeast, judgeRatio, type Row } from "../report/row.ts";
import { interleave } from "../rounds.ts";

const BUSY = 100;
const USERS = 10;
/** Pings that each busy session has on their way, and octets of each. */
const WINDOW = 2;
const SIZE = 1_300;
/** Answers that the one asks for; not read, they fill every queue on the way within seconds. */
const PER_SECOND = 2_000;
const FILL = 2_000;
const MIB = 1024 * 1024;

interface Sample {
    readonly perSecond: number;
    readonly grown: number;
}

export const stoppedReader: Measure = { numbers: [9], run: async (scene) => [await run(scene)] };

async function run({ topology, settings, postern, say }: Scene): Promise<Row> {
    const users = await postern.addUsers(USERS, "reader");
    await using others = Crowd.start(topology);
    await using one = Crowd.start(topology);
    const question = { target: postern.target("worker"), users, concurrency: 8, ecdhCurve: CURVE, resumes: false };
    await others.open({ ...question, count: BUSY });
    const beside = (reads: boolean) => async (): Promise<Sample> => {
        await one.open({ ...question, count: 1 });
        const before = residentBytes(postern.worker);
        await one.stall({ perSecond: PER_SECOND, size: SIZE, reads });
        await delay(FILL);
        const answered = await others.busy({ seconds: settings.seconds, window: WINDOW, size: SIZE });
        const grown = (residentBytes(postern.worker) - before) / MIB;
        await one.endStall();
        await one.close();
        const perSecond = answered / settings.seconds;
        say(
            `beside one that ${reads ? "reads" : "does not read"}: ${Math.round(perSecond)} echoes/s, worker ${grown.toFixed(1)} MiB more`,
        );
        return { perSecond, grown };
    };
    const samples = await interleave(Math.max(5, settings.rounds), {
        "one reads": beside(true),
        "one has stopped": beside(false),
    });
    const series = (value: (sample: Sample) => number) =>
        Object.entries(samples).map(([contender, list]) => ({ contender, values: list.map(value) }));
    const throughput = ({ perSecond }: Sample): number => perSecond;
    return {
        number: 9,
        title: `A stopped reader among ${BUSY} busy sessions`,
        figures: [
            { name: "Echoes of 1,300 bytes of the others", unit: "per second", series: series(throughput) },
            { name: "Growth of the worker meanwhile", unit: "MiB", series: series(({ grown }) => grown) },
        ],
        verdicts: [
            judgeRatio(
                "Throughput of the others beside one that has stopped, to beside one that reads",
                samples["one has stopped"].map(throughput),
                samples["one reads"].map(throughput),
                atLeast(0.95),
            ),
        ],
        notes: [`The one asks for ${PER_SECOND} echoes of ${SIZE} bytes a second, whether it reads them or not.`],
    };
}
