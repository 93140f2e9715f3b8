// Row 2: what is left of Node's TLS when its bytes are packets of a TUN device.
import { RawTls } from "../ceiling/raw-tls.ts";
import { startCpuAccount } from "../cpu-account.ts";
import { DIRECTIONS, Iperf3 } from "../load/iperf3.ts";
import type { Measure, Scene } from "../measure.ts";
import { atLeast, type Figure, judgeRatio, type Row, type Verdict } from "../report/row.ts";
import { interleave } from "../rounds.ts";
import { transfer } from "./bulk-tcp.ts";

const GIGA = 1e9;
/** The ceiling as Node comes, and with what workers tell V8: more of the same process than the second there cannot be. */
const AS_IT_IS = "bare TLS";
const SWEPT = "bare TLS, buffers swept at once";
const TITLES = { up: "client to server", down: "server to client" } as const;

export const shareOfRawTls: Measure = { numbers: [2], run: async (scene) => [await run(scene)] };

async function run({ topology, settings, postern, say }: Scene): Promise<Row> {
    await using asItIs = await RawTls.start(topology);
    await using swept = await RawTls.start(topology, { sweepsAtOnce: true });
    const iperf3 = new Iperf3(topology);
    await using tunnels = await postern.open(1);
    const figures: Figure[] = [];
    const verdicts: Verdict[] = [];
    for (const direction of DIRECTIONS) {
        const ceiling = (name: string, raw: RawTls) => async (): Promise<number> => {
            const account = startCpuAccount({ server: [raw.server] });
            const bits = await raw.transfer(direction, settings.seconds);
            const perSecond = bits / GIGA / account().groups.server;
            const rate = (bits / GIGA / settings.seconds).toFixed(2);
            say(`${name}, ${direction}: ${perSecond.toFixed(2)} Gbit/CPU-s, ${rate} Gbit/s`);
            return perSecond;
        };
        const samples = await interleave(settings.rounds, {
            [AS_IT_IS]: ceiling(AS_IT_IS, asItIs),
            [SWEPT]: ceiling(SWEPT, swept),
            postern: async () => {
                const { perWorkerSecond } = await transfer(iperf3, tunnels, direction, settings.seconds);
                say(`postern, ${direction}: ${perWorkerSecond.toFixed(2)} Gbit/CPU-s`);
                return perWorkerSecond;
            },
        });
        figures.push({
            name: `One connection, ${TITLES[direction]}`,
            unit: "Gbit per CPU-second",
            series: Object.entries(samples).map(([contender, values]) => ({ contender, values })),
        });
        for (const name of [AS_IT_IS, SWEPT] as const) {
            const what = `Gbit per CPU-second, ${TITLES[direction]}, to ${name}`;
            verdicts.push(judgeRatio(what, samples.postern, samples[name], atLeast(0.65)));
        }
    }
    const notes = [
        "Bare TLS: a TLS server of Node that writes 16 KB at a time, or reads and throws away; AES-128-GCM as the worker's.",
        "Swept at once: with the V8 flag that workers set for themselves ([ADR 0016](adr/0016-buffers-are-swept-at-once.md)).",
    ];
    return { number: 2, title: "Inner TCP as a share of Node's raw TLS", figures, verdicts, notes };
}
