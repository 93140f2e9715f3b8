// A worker's side of many logins, and the way to the RADIUS server, in one process: both are timed by one clock.  See
// measures/logins.ts.
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { connectBus, type Bus } from "@postern/bus";
import { loadConfig } from "@postern/config";
import { authContinue, authStart, type AuthResult, type AuthStartQuestion } from "@postern/contracts";
import { answerMschapv2 } from "@postern/ppp";
import { encodeBase64, generateKeyPair } from "@postern/sealing";
import { pppDigests } from "@postern/sstp-client";
import { silentLog } from "@postern/testkit";
import { inParallel } from "../in-parallel.ts";
import { answerTasks } from "../task-process.ts";
import { RadiusRelay, type UdpEndpoint } from "./radius-relay.ts";

export interface PrepareQuestion {
    /** postern.yaml. */
    readonly config: string;
    /** The worker that this process stands for. */
    readonly instance: string;
    readonly relay: UdpEndpoint;
    readonly server: UdpEndpoint;
}
export interface LoginsQuestion {
    readonly users: readonly string[];
    readonly password: string;
    /** Logins begun per second, whether or not earlier ones are decided. */
    readonly rate: number;
}
/** Milliseconds, in the order of the logins. */
export interface LoginsAnswer {
    /** From the question on the bus to its result. */
    readonly whole: readonly number[];
    /** Of it, what the RADIUS server took. */
    readonly server: readonly number[];
}

const CHALLENGE_SIZE = 16;
const SESSION_SIZE = 12;

let bus: Bus;
let relay: RadiusRelay;
let instance = "";

answerTasks({ prepare, logins });

async function prepare(question: PrepareQuestion): Promise<void> {
    instance = question.instance;
    const { nats, tenant } = loadConfig(question.config, { service: "session-worker", instance });
    const seed = nats.seed === undefined ? {} : { seedFile: nats.seed };
    bus = await connectBus({ servers: nats.servers, instance, tenant, ...seed, log: silentLog });
    relay = await RadiusRelay.start(question.relay, question.server);
}

async function logins({ users, password, rate }: LoginsQuestion): Promise<LoginsAnswer> {
    // What a client and its worker do before they ask is not the broker's time.
    const questions = users.map((user) => questionOf(user, password));
    const whole: number[] = [];
    const begun = performance.now();
    await inParallel(users.length, users.length, async (index) => {
        await delay(Math.max(0, begun + (index * 1_000) / rate - performance.now()));
        const question = questions[index];
        if (question === undefined) return;
        const asked = performance.now();
        const result = await login(question);
        whole[index] = performance.now() - asked;
        if (result.state !== "accept") throw new Error(`${users[index]}: ${JSON.stringify(result)}`);
    });
    const times = relay.takeTimes();
    return {
        whole,
        server: users.map((user) => {
            const time = times.get(user);
            if (time === undefined) throw new Error(`${user}: no answer of the server was seen`);
            return time;
        }),
    };
}

function questionOf(user: string, password: string): AuthStartQuestion {
    const challenge = randomBytes(CHALLENGE_SIZE);
    const { response } = answerMschapv2(pppDigests, (size) => randomBytes(size), { user, password }, challenge);
    return {
        session: randomBytes(SESSION_SIZE).toString("hex"),
        attempt: 1,
        worker: instance,
        client: { address: "192.0.2.1", port: 40_000 },
        credentials: {
            method: "mschapv2",
            identity: user,
            ident: 1,
            challenge: encodeBase64(challenge),
            response: encodeBase64(response),
        },
        replyKey: encodeBase64(generateKeyPair().publicKey),
    };
}

async function login(question: AuthStartQuestion): Promise<AuthResult> {
    let { result, conversation, replica } = await bus.ask(bus.subjects.authStart, authStart, question);
    while (result.state === "pending") {
        const poll = { kind: "poll", conversation, session: question.session, wait: 20_000 } as const;
        const answer = await bus.ask(bus.subjects.authContinue(replica), authContinue, poll);
        if ("unknown" in answer) throw new Error("the conversation was lost");
        ({ result, conversation, replica } = answer);
    }
    return result;
}
