// Many sessions in one process that end in it, without TUN devices; see crowd.ts.
import { setTimeout as delay } from "node:timers/promises";
import { DependencyError } from "@postern/errors";
import { SstpClient, type TlsSession } from "@postern/sstp-client";
import { Histogram } from "../histogram.ts";
import { inParallel } from "../in-parallel.ts";
import { answerTasks } from "../task-process.ts";
import type {
    BusyQuestion,
    OpenAnswer,
    OpenQuestion,
    PingAnswer,
    PingQuestion,
    StallQuestion,
    VisitQuestion,
} from "./crowd.ts";

/** Milliseconds between two looks at who has to ping. */
const TICK = 5;
const PING_TIMEOUT = 5_000;
const DIAL_TIMEOUT = 60_000;

const sessions: SstpClient[] = [];
/** The latest that each user was offered. */
const tickets = new Map<string, TlsSession>();
let stalling: NodeJS.Timeout | undefined;

answerTasks({ open, visit, ping, busy, stall, endStall, close });

async function open(question: OpenQuestion): Promise<OpenAnswer> {
    const { target, users, count, concurrency, resumes } = question;
    const dialled: SstpClient[] = [];
    await inParallel(count, concurrency, async (index) => {
        const { user, password } = users[index % users.length] ?? { user: "", password: "" };
        const ticket = resumes ? tickets.get(user) : undefined;
        const client = await SstpClient.connect({
            ...target,
            user,
            password,
            timeout: DIAL_TIMEOUT,
            tls: { ecdhCurve: question.ecdhCurve },
            onTlsSession: (session) => tickets.set(user, session),
            ...(ticket === undefined ? {} : { resumes: ticket }),
        });
        dialled.push(client);
    });
    sessions.push(...dialled);
    return { resumed: dialled.filter(({ isResumed }) => isResumed).length };
}

/** Dials at a steady rate, whether or not earlier dials are complete; each session stays for a while and says goodbye. */
async function visit({ target, users, count, rate, stay }: VisitQuestion): Promise<readonly number[]> {
    const begun = performance.now();
    const setUps: number[] = [];
    await inParallel(count, count, async (index) => {
        await delay(Math.max(0, begun + (index * 1_000) / rate - performance.now()));
        const { user, password } = users[index % users.length] ?? { user: "", password: "" };
        const client = await SstpClient.connect({ ...target, user, password, timeout: DIAL_TIMEOUT });
        setUps.push(client.timings.ipcp - client.timings.tcp);
        await delay(stay);
        await client.disconnect();
    });
    return setUps;
}

/** Every session pings once in `every` milliseconds, each at a time of its own, whether or not it was answered. */
async function ping({ seconds, every }: PingQuestion): Promise<PingAnswer> {
    const roundTrips = new Histogram();
    let sent = 0;
    let lost = 0;
    const pending = new Set<Promise<void>>();
    const one = async (session: SstpClient): Promise<void> => {
        try {
            roundTrips.record(await session.ping(session.gateway ?? "", { timeout: PING_TIMEOUT }));
        } catch (error) {
            if (!(error instanceof DependencyError)) throw error;
            lost += 1;
        }
    };
    const begun = performance.now();
    const total = Math.round((sessions.length * seconds * 1_000) / every);
    while (sent < total) {
        const due = Math.min(total, Math.floor(((performance.now() - begun) / every) * sessions.length));
        for (; sent < due; sent += 1) {
            const session = sessions[sent % sessions.length];
            if (session === undefined) continue;
            const running = one(session).finally(() => pending.delete(running));
            pending.add(running);
        }
        await delay(TICK);
    }
    await Promise.all(pending);
    return { sent, lost, roundTrips: roundTrips.entries };
}

/** Every session keeps `window` pings on their way; resolves with the number of those that were answered. */
async function busy({ seconds, window, size }: BusyQuestion): Promise<number> {
    const end = performance.now() + seconds * 1_000;
    let answered = 0;
    const one = async (session: SstpClient): Promise<void> => {
        while (performance.now() < end) {
            try {
                await session.ping(session.gateway ?? "", { timeout: PING_TIMEOUT, size });
            } catch (error) {
                if (!(error instanceof DependencyError)) throw error;
                continue;
            }
            if (performance.now() < end) answered += 1;
        }
    };
    await Promise.all(sessions.flatMap((session) => Array.from({ length: window }, () => one(session))));
    return answered;
}

/** From now on every session asks for `perSecond` answers of `size` octets, and reads them or not. */
async function stall({ perSecond, size, reads }: StallQuestion): Promise<void> {
    const share = Math.ceil((perSecond * TICK) / 1_000);
    for (const session of sessions) if (!reads) session.pauseReading();
    stalling = setInterval(() => {
        for (const session of sessions) {
            for (let index = 0; index < share; index += 1) {
                void session.ping(session.gateway ?? "", { timeout: PING_TIMEOUT, size }).catch(() => undefined);
            }
        }
    }, TICK);
}

async function endStall(): Promise<void> {
    clearInterval(stalling);
    for (const session of sessions) session.resumeReading();
}

async function close(): Promise<void> {
    await Promise.all(sessions.splice(0).map((session) => session.disconnect()));
}
