// Row 4: packets so small that only their number counts.
import { startCpuAccount } from "../cpu-account.ts";
import { UdpEcho } from "../load/udp-echo.ts";
import type { Measure, Scene } from "../measure.ts";
import type { Tunnels } from "../peers/peer.ts";
import { atLeast, type Figure, judgeRatio, type Row } from "../report/row.ts";
import { interleave } from "../rounds.ts";

/** Octets of UDP data. */
const SIZE = 64;
/** Each echo is a packet from the client and one to it. */
const PACKETS_AN_ECHO = 2;

interface Sample {
    readonly perWorkerSecond: number;
    readonly perSecond: number;
}

export const smallPackets: Measure = { numbers: [4], run: async (scene) => [await run(scene)] };

async function run({ topology, settings, ocserv, postern, say }: Scene): Promise<Row> {
    await using echo = new UdpEcho(topology.clients, topology.servers);
    await using toOcserv = await ocserv.open(1);
    await using toPostern = await postern.open(1);
    const contender =
        (name: string, { addresses, gateway, workers }: Tunnels) =>
        async (): Promise<Sample> => {
            const [source = ""] = addresses;
            const account = startCpuAccount({ workers });
            const result = await echo.run({ source, destination: gateway, size: SIZE, seconds: settings.seconds });
            const packets = PACKETS_AN_ECHO * result.received;
            const sample = { perWorkerSecond: packets / account().groups.workers, perSecond: packets / result.seconds };
            const loss = 1 - result.received / result.sent;
            say(
                `${name}: ${Math.round(sample.perWorkerSecond)} packets/CPU-s, ${Math.round(sample.perSecond)}/s, lost ${loss.toFixed(4)}`,
            );
            return sample;
        };
    const samples = await interleave(settings.rounds, {
        ocserv: contender("ocserv", toOcserv),
        postern: contender("postern", toPostern),
    });
    const figure = (name: string, unit: string, value: (sample: Sample) => number): Figure => ({
        name,
        unit,
        series: Object.entries(samples).map(([contender, list]) => ({ contender, values: list.map(value) })),
    });
    const efficiency = (sample: Sample): number => sample.perWorkerSecond;
    return {
        number: 4,
        title: "64-byte UDP echo, one session",
        figures: [
            figure("Packets per worker CPU, both directions", "packets per CPU-second", efficiency),
            figure("Packets, both directions", "packets per second", (sample) => sample.perSecond),
        ],
        verdicts: [
            judgeRatio(
                "Packets per CPU-second of the worker, to ocserv's",
                samples.postern.map(efficiency),
                samples.ocserv.map(efficiency),
                atLeast(2),
            ),
        ],
        notes: ["256 datagrams are on their way at once; the next is sent for each that returns."],
    };
}
