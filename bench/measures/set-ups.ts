// Row 6: what a session costs until it carries packets, against the TLS handshake alone.
import { setTimeout as delay } from "node:timers/promises";
import { CURVE, RawTls } from "../ceiling/raw-tls.ts";
import { Crowd } from "../client/crowd.ts";
import { startCpuAccount } from "../cpu-account.ts";
import type { Measure, Scene } from "../measure.ts";
import { atLeast, judgeRatio, type Row } from "../report/row.ts";
import { interleave } from "../rounds.ts";

const USERS = 16;
const CONCURRENCY = 16;
/** Milliseconds in which events of the last sessions get to the stream, and farewells to the registry. */
const SETTLE = 1_500;

export const setUps: Measure = { numbers: [6], run: async (scene) => [await run(scene)] };

async function run({ topology, settings, postern, say }: Scene): Promise<Row> {
    const count = settings.setUps;
    const users = await postern.addUsers(USERS);
    await using raw = await RawTls.start(topology);
    await using crowd = Crowd.start(topology);
    const target = postern.target("worker");
    const question = { target, users, count, concurrency: CONCURRENCY, ecdhCurve: CURVE };
    let resumedShare = 0;
    const sessions = (resumes: boolean) => async (): Promise<number> => {
        const account = startCpuAccount({ worker: [postern.worker] });
        const { resumed } = await crowd.open({ ...question, resumes });
        await delay(SETTLE);
        const perSecond = count / account().groups.worker;
        if (resumes) resumedShare = resumed / count;
        await crowd.close();
        await delay(SETTLE);
        say(`postern, ${resumes ? "resumed" : "full"}: ${perSecond.toFixed(0)} set-ups/CPU-s (${resumed} resumed)`);
        return perSecond;
    };
    const handshakes = async (): Promise<number> => {
        const account = startCpuAccount({ server: [raw.server] });
        await raw.connect(count);
        const perSecond = count / account().groups.server;
        await raw.disconnect();
        say(`bare TLS: ${perSecond.toFixed(0)} handshakes/CPU-s`);
        return perSecond;
    };
    // The first sessions run code that is not compiled yet, and leave tickets for those that resume.
    await sessions(false)();
    await handshakes();
    const samples = await interleave(settings.rounds, {
        "bare TLS handshakes": handshakes,
        "postern, full handshake": sessions(false),
        "postern, resumed": sessions(true),
    });
    return {
        number: 6,
        title: "Session set-ups",
        figures: [
            {
                name: "Set-ups per worker CPU",
                unit: "per CPU-second",
                series: Object.entries(samples).map(([contender, values]) => ({ contender, values })),
            },
        ],
        verdicts: [
            judgeRatio(
                "Sessions per CPU-second of the worker, to bare TLS 1.3 handshakes",
                samples["postern, full handshake"],
                samples["bare TLS handshakes"],
                atLeast(0.3),
            ),
            judgeRatio(
                "Sessions with TLS resumption, to those without",
                samples["postern, resumed"],
                samples["postern, full handshake"],
                atLeast(1.3),
            ),
        ],
        notes: [
            `${count} sessions (or handshakes) a round, ${CONCURRENCY} at once, TLS 1.3 with ${CURVE}; from TCP to IPCP, with registry and event.`,
            `Of those that could resume, ${(100 * resumedShare).toFixed(0)} % did.`,
        ],
    };
}
