// Row 5: what a tunnel adds to a ping, idle, and beside a flow that takes half of what the slower server can.
import { percentilesOf } from "@postern/sstp-client";
import { InvariantError } from "@postern/errors";
import { DIRECTIONS, type Direction, Iperf3 } from "../load/iperf3.ts";
import { ping } from "../load/ping.ts";
import type { Measure, Scene } from "../measure.ts";
import type { Tunnels } from "../peers/peer.ts";
import { atMost, judgeRatio, type Figure, type Row, type Verdict } from "../report/row.ts";
import { interleave, type Samples } from "../rounds.ts";
import { transfer } from "./bulk-tcp.ts";

const GIGA = 1e9;
/** Of the slower server's goodput. */
const LOAD = 0.5;
/** By which the bulk flow has got going before the first ping, and outlasts the last. */
const MARGIN_SECONDS = 1;
const LOADED = { up: "beside a flow to the server", down: "beside a flow to the client" } as const;

interface Sample {
    readonly p50: number;
    readonly p99: number;
    /** Per cent. */
    readonly lost: number;
}

export const latency: Measure = { numbers: [5], run: async (scene) => [await run(scene)] };

async function run(scene: Scene): Promise<Row> {
    const { topology, settings, ocserv, postern } = scene;
    const iperf3 = new Iperf3(topology);
    await using toOcserv = await ocserv.open(1);
    await using toPostern = await postern.open(1);
    const figures: Figure[] = [];
    const verdicts: Verdict[] = [];
    const notes: string[] = [];

    const round = async (title: string, beside?: { direction: Direction; rate: number }): Promise<void> => {
        const contender = (name: string, tunnels: Tunnels) => async (): Promise<Sample> => {
            const sample = await pingBeside(scene, iperf3, tunnels, beside);
            scene.say(
                `${name}, ${title}: p50 ${sample.p50} ms, p99 ${sample.p99} ms, lost ${sample.lost.toFixed(2)} %`,
            );
            return sample;
        };
        const samples = await interleave(settings.rounds, {
            ocserv: contender("ocserv", toOcserv),
            postern: contender("postern", toPostern),
        });
        figures.push(...figuresOf(title, samples));
        const compare = (what: "p50" | "p99"): Verdict =>
            judgeRatio(
                `Round trip, ${title}, ${what}, to ocserv's`,
                samples.postern.map((sample) => sample[what]),
                samples.ocserv.map((sample) => sample[what]),
                atMost(1),
            );
        verdicts.push(...(beside === undefined ? [compare("p50"), compare("p99")] : [compare("p99")]));
    };

    await round("idle");
    for (const direction of DIRECTIONS) {
        const capacities = [];
        for (const tunnels of [toOcserv, toPostern]) {
            capacities.push((await transfer(iperf3, tunnels, direction, settings.seconds)).goodput);
        }
        const load = LOAD * Math.min(...capacities);
        notes.push(`The flow ${direction === "up" ? "to the server" : "to the client"} has ${load.toFixed(2)} Gbit/s.`);
        await round(LOADED[direction], { direction, rate: Math.round(load * GIGA) });
    }
    return { number: 5, title: "Latency of one session", figures, verdicts, notes };
}

async function pingBeside(
    { topology, settings: { seconds } }: Scene,
    iperf3: Iperf3,
    { addresses: [source = ""], gateway: destination }: Tunnels,
    beside: { readonly direction: Direction; readonly rate: number } | undefined,
): Promise<Sample> {
    const flow = { source, destination, seconds: seconds + 2 * MARGIN_SECONDS };
    const running = beside === undefined ? undefined : iperf3.run([{ ...flow, ...beside }]);
    if (running !== undefined) await new Promise((resolve) => setTimeout(resolve, MARGIN_SECONDS * 1_000));
    const { sent, roundTrips } = await ping(topology.clients, { source, destination, seconds });
    await running;
    const percentiles = percentilesOf(roundTrips);
    if (percentiles === undefined) throw new InvariantError("no ping was answered");
    return { p50: percentiles.p50, p99: percentiles.p99, lost: 100 * (1 - roundTrips.length / sent) };
}

function figuresOf(title: string, samples: Samples<string, Sample>): Figure[] {
    const figure = (name: string, unit: string, value: (sample: Sample) => number): Figure => ({
        name: `${name}, ${title}`,
        unit,
        series: Object.entries(samples).map(([contender, list]) => ({ contender, values: list.map(value) })),
    });
    return [
        figure("Round trip p50", "ms", ({ p50 }) => p50),
        figure("Round trip p99", "ms", ({ p99 }) => p99),
        figure("Pings lost", "%", ({ lost }) => lost),
    ];
}
