// Rows 1 and 3: inner TCP as fast as it goes, each direction, by one session or several.
import { startCpuAccount } from "../cpu-account.ts";
import { DIRECTIONS, type Direction, Iperf3 } from "../load/iperf3.ts";
import type { Measure, Scene } from "../measure.ts";
import type { Tunnels } from "../peers/peer.ts";
import { atLeast, atMost, type Figure, judgeRatio, type Row, type Verdict } from "../report/row.ts";
import { interleave } from "../rounds.ts";

const GIGA = 1e9;
const TITLES = { up: "client to server", down: "server to client" } as const;

interface Transfer {
    /** Gbit per CPU-second of the server's processes that move packets. */
    readonly perWorkerSecond: number;
    /** Gbit/s. */
    readonly goodput: number;
    /** CPU-seconds of the whole host, both ends, per Gbit. */
    readonly hostSecondsPerGigabit: number;
}

/** `throughIngress`: also show what the way through an ingress costs. */
export function bulkTcp(number: number, sessions: number, { throughIngress = false } = {}): Measure {
    return { numbers: [number], run: async (scene) => [await run(scene, number, sessions, throughIngress)] };
}

async function run(scene: Scene, number: number, sessions: number, throughIngress: boolean): Promise<Row> {
    const { topology, settings, ocserv, postern } = scene;
    const iperf3 = new Iperf3(topology);
    await using toOcserv = await ocserv.open(sessions);
    await using toPostern = await postern.open(sessions);
    await using toIngress = throughIngress ? await postern.openAt("ingress", sessions) : undefined;
    const contenders: [name: string, tunnels: Tunnels][] = [
        ["ocserv", toOcserv],
        ["postern", toPostern],
    ];
    if (toIngress !== undefined) contenders.push(["postern through an ingress", toIngress]);
    const figures: Figure[] = [];
    const verdicts: Verdict[] = [];
    for (const direction of DIRECTIONS) {
        const contender = (name: string, tunnels: Tunnels) => async (): Promise<Transfer> => {
            const result = await transfer(iperf3, tunnels, direction, settings.seconds);
            const { perWorkerSecond, goodput } = result;
            scene.say(`${name}, ${direction}: ${perWorkerSecond.toFixed(2)} Gbit/CPU-s, ${goodput.toFixed(2)} Gbit/s`);
            return result;
        };
        const samples = await interleave(
            settings.rounds,
            Object.fromEntries(contenders.map(([name, tunnels]) => [name, contender(name, tunnels)])),
        );
        const figure = (name: string, unit: string, value: (sample: Transfer) => number): Figure => ({
            name: `${name}, ${TITLES[direction]}`,
            unit,
            series: Object.entries(samples).map(([name, list]) => ({ contender: name, values: list.map(value) })),
        });
        figures.push(
            figure("Inner TCP per worker CPU", "Gbit per CPU-second", (sample) => sample.perWorkerSecond),
            figure("Goodput", "Gbit/s", (sample) => sample.goodput),
            figure("CPU of the whole host", "CPU-seconds per Gbit", (sample) => sample.hostSecondsPerGigabit),
        );
        const of = (name: string, value: (sample: Transfer) => number): number[] => (samples[name] ?? []).map(value);
        const efficiency = (sample: Transfer): number => sample.perWorkerSecond;
        const host = (sample: Transfer): number => sample.hostSecondsPerGigabit;
        verdicts.push(
            judgeRatio(
                `Gbit per CPU-second of the worker, ${TITLES[direction]}, to ocserv's`,
                of("postern", efficiency),
                of("ocserv", efficiency),
                atLeast(4),
            ),
        );
        if (sessions > 1) continue;
        verdicts.push(
            judgeRatio(
                `CPU of the whole host per Gbit, ${TITLES[direction]}, to ocserv's`,
                of("postern", host),
                of("ocserv", host),
                atMost(0.5),
            ),
        );
    }
    const many = sessions === 1 ? "one session" : `${sessions} sessions at once`;
    const notes = [
        "A CPU-second of a worker is user and system time of the processes that move these sessions' packets.",
    ];
    if (throughIngress) notes.push("Through an ingress, the ingresses' CPU counts as the worker's does.");
    return { number, title: `Inner TCP, ${many}`, figures, verdicts, notes };
}

/** One flow in every tunnel. */
export async function transfer(
    iperf3: Iperf3,
    { addresses, gateway, workers }: Tunnels,
    direction: Direction,
    seconds: number,
): Promise<Transfer> {
    const account = startCpuAccount({ workers });
    const flows = await iperf3.run(addresses.map((source) => ({ source, destination: gateway, direction, seconds })));
    const { groups, host } = account();
    const gigabits = flows.reduce((sum, { bits }) => sum + bits, 0) / GIGA;
    return {
        perWorkerSecond: gigabits / groups.workers,
        goodput: flows.reduce((sum, flow) => sum + flow.bits / flow.seconds, 0) / GIGA,
        hostSecondsPerGigabit: host.busy / gigabits,
    };
}
