// Row 11: what a broker adds to the time that a RADIUS server takes, at a steady rate of logins.
import { randomBytes } from "node:crypto";
import { type Percentiles, percentilesOf } from "@postern/sstp-client";
import { InvariantError } from "@postern/errors";
import { startFreeRadius } from "@postern/testkit";
import { parseDocument } from "yaml";
import { NetworkNamespace } from "../../test/interop/network-namespace.ts";
import { startPostern } from "../../test/interop/running-postern.ts";
import type { LoginsAnswer, LoginsQuestion, PrepareQuestion } from "../client/logins-main.ts";
import { startCpuAccount } from "../cpu-account.ts";
import type { Measure, Scene } from "../measure.ts";
import { atMost, judge, type Row } from "../report/row.ts";
import { TaskProcess } from "../task-process.ts";

const RATE = 300;
const UNLIMITED = 100_000;
const RELAY = { address: "127.0.0.1", port: 11_812 };
const SERVER_PORT = 1_812;
const MILLISECONDS = 1_000;

export const logins: Measure = { numbers: [11], run: async (scene) => [await run(scene)] };

/** One broker, which asks the server by way of the relay; limits that are there against guessing let the bench through. */
const configure =
    (secretFile: string) =>
    (yaml: string): string => {
        const document = parseDocument(yaml);
        document.deleteIn(["auth-broker", "instances", "broker-2"]);
        const throttle = { burst: UNLIMITED, perMinute: UNLIMITED };
        document.setIn(["auth-broker", "throttle"], { source: throttle, user: throttle });
        const servers = [{ address: `${RELAY.address}:${RELAY.port}`, secretFile }];
        document.setIn(["auth-broker", "backends"], { company: { kind: "radius", servers } });
        document.setIn(["auth-broker", "chain"], [{ backends: [{ use: "company" }] }]);
        return document.toString({ lineWidth: 0 });
    };

async function run({ settings, say }: Scene): Promise<Row> {
    const count = RATE * settings.seconds;
    const password = randomBytes(12).toString("hex");
    const users = Array.from({ length: count }, (_, index) => `login-${index}`);
    await using namespace = await NetworkNamespace.create("logins");
    await namespace.ip("link", "set", "lo", "up");
    const spawn = namespace.spawn.bind(namespace);
    await using radius = await startFreeRadius({
        users: users.map((name) => ({ name, password })),
        port: SERVER_PORT,
        spawn,
    });
    await using postern = await startPostern(namespace, {
        name: "vpn.example.test",
        configure: configure(radius.secretFile),
    });
    const { config, pids } = await postern.ready();
    const broker = pids["auth-broker"] ?? [];
    if (broker.length !== 1) throw new InvariantError(`${broker.length} brokers, not one`);
    await using client = TaskProcess.start(namespace, "client/logins-main.ts");
    const server = { address: radius.address, port: radius.port };
    const prepare: PrepareQuestion = { config, instance: "worker-1", relay: RELAY, server };
    await client.ask("prepare", prepare);
    const question: LoginsQuestion = { users, password, rate: RATE };
    // The first ones run code that is not compiled yet.
    await client.ask("logins", question);
    const rounds: Round[] = [];
    for (let round = 0; round < settings.rounds; round += 1) {
        const account = startCpuAccount({ broker });
        const times = await client.ask<LoginsAnswer>("logins", question);
        const measured = { ...figuresOf(times), cpu: (account().groups.broker * MILLISECONDS) / count };
        say(`overhead p50 ${measured.overhead.p50.toFixed(2)} ms, p99 ${measured.overhead.p99.toFixed(2)} ms`);
        rounds.push(measured);
    }
    const series = (name: "overhead" | "server" | "whole") =>
        (["p50", "p99"] as const).map((at) => ({
            contender: `${name === "server" ? "the RADIUS server" : name === "whole" ? "the login" : "the broker"}, ${at}`,
            values: rounds.map((round) => round[name][at]),
        }));
    return {
        number: 11,
        title: `MS-CHAPv2 logins at ${RATE} a second, one broker, one FreeRADIUS`,
        figures: [
            {
                name: "Time of a login, and who took it",
                unit: "ms",
                series: [...series("overhead"), ...series("server"), ...series("whole")],
            },
            {
                name: "CPU of the broker for a login",
                unit: "ms",
                series: [{ contender: "auth-broker", values: rounds.map(({ cpu }) => cpu) }],
            },
        ],
        verdicts: [
            judge(
                "What the broker adds, p99",
                "ms",
                rounds.map(({ overhead }) => overhead.p99),
                atMost(10),
            ),
        ],
        notes: [
            `${count} logins of as many users a round, asked over the bus as a worker does, each with its event in the outbox; the server's time is taken by a relay before it, from a login's first request to its reply, and all the rest is the broker's: bus and relay, too.`,
        ],
    };
}

/** Milliseconds. */
interface Times {
    readonly overhead: Percentiles;
    readonly server: Percentiles;
    readonly whole: Percentiles;
}
interface Round extends Times {
    /** Milliseconds of the broker's CPU for a login. */
    readonly cpu: number;
}

function figuresOf({ whole, server }: LoginsAnswer): Times {
    const overhead = whole.map((time, index) => time - (server[index] ?? Number.NaN));
    const impossible = overhead.findIndex((time) => !(time >= 0));
    if (impossible >= 0)
        throw new InvariantError(`a login of ${whole[impossible]} ms, the server's part ${server[impossible]} ms`);
    const [ofOverhead, ofServer, ofWhole] = [overhead, server, whole].map((values) => percentilesOf(values));
    if (ofOverhead === undefined || ofServer === undefined || ofWhole === undefined)
        throw new InvariantError("no logins");
    return { overhead: ofOverhead, server: ofServer, whole: ofWhole };
}
