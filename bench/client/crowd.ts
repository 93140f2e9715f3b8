// Many sessions of user-space clients, in as many processes as open-file limits ask for.
import { readFileSync } from "node:fs";
import type { HistogramEntries } from "../histogram.ts";
import { Histogram } from "../histogram.ts";
import type { Credentials, Target } from "../peers/postern.ts";
import { sharesOf } from "../shares.ts";
import { TaskProcess } from "../task-process.ts";
import type { Topology } from "../topology.ts";

export interface OpenQuestion {
    readonly target: Target;
    readonly users: readonly Credentials[];
    readonly count: number;
    /** Dials at once. */
    readonly concurrency: number;
    readonly ecdhCurve: string;
    /** With the TLS sessions that earlier dials were offered. */
    readonly resumes: boolean;
}
export interface OpenAnswer {
    /** How many TLS handshakes were resumed. */
    readonly resumed: number;
}
export interface VisitQuestion {
    readonly target: Target;
    readonly users: readonly Credentials[];
    readonly count: number;
    /** Dials begun per second. */
    readonly rate: number;
    /** Milliseconds that each session lasts. */
    readonly stay: number;
}
export interface PingQuestion {
    readonly seconds: number;
    /** Milliseconds between two pings of a session. */
    readonly every: number;
}
export interface PingAnswer {
    readonly sent: number;
    readonly lost: number;
    readonly roundTrips: HistogramEntries;
}
export interface BusyQuestion {
    readonly seconds: number;
    readonly window: number;
    readonly size: number;
}
export interface StallQuestion {
    readonly perSecond: number;
    readonly size: number;
    readonly reads: boolean;
}

export interface PingReport {
    readonly sent: number;
    readonly lost: number;
    readonly roundTrips: Histogram;
}

/** With the PEM text in the place of the file's name. */
const withText = (target: Target): Target => ({ ...target, ca: readFileSync(target.ca, "utf8") });

export class Crowd implements AsyncDisposable {
    readonly #processes: readonly TaskProcess[];

    private constructor(processes: readonly TaskProcess[]) {
        this.#processes = processes;
    }

    static start({ clients }: Topology, { processes = 1 } = {}): Crowd {
        return new Crowd(Array.from({ length: processes }, () => TaskProcess.start(clients, "client/crowd-main.ts")));
    }

    /** Opens `count` sessions more; rejects when one of them fails. */
    async open(question: OpenQuestion): Promise<OpenAnswer> {
        const { count, concurrency, target } = question;
        const parts = this.#processes.length;
        const all = { ...question, target: withText(target), concurrency: Math.ceil(concurrency / parts) };
        const answers = await this.#askEach<OpenAnswer>(
            "open",
            sharesOf(count, parts).map((share) => ({ ...all, count: share })),
        );
        return { resumed: answers.reduce((sum, { resumed }) => sum + resumed, 0) };
    }

    /** Milliseconds of every set-up, from the accepted connection to IPCP. */
    async visit(question: VisitQuestion): Promise<readonly number[]> {
        const { count, rate, target } = question;
        const parts = this.#processes.length;
        const all = { ...question, target: withText(target), rate: rate / parts };
        const answers = await this.#askEach<readonly number[]>(
            "visit",
            sharesOf(count, parts).map((share) => ({ ...all, count: share })),
        );
        return answers.flat();
    }

    async ping(question: PingQuestion): Promise<PingReport> {
        const answers = await this.#askAll<PingAnswer>("ping", question);
        return {
            sent: answers.reduce((sum, { sent }) => sum + sent, 0),
            lost: answers.reduce((sum, { lost }) => sum + lost, 0),
            roundTrips: Histogram.of(...answers.map(({ roundTrips }) => roundTrips)),
        };
    }

    /** How many pings were answered within the time. */
    async busy(question: BusyQuestion): Promise<number> {
        const answers = await this.#askAll<number>("busy", question);
        return answers.reduce((sum, answered) => sum + answered, 0);
    }

    async stall(question: StallQuestion): Promise<void> {
        await this.#askAll("stall", question);
    }

    async endStall(): Promise<void> {
        await this.#askAll("endStall");
    }

    /** Every session says goodbye. */
    async close(): Promise<void> {
        await this.#askAll("close");
    }

    async [Symbol.asyncDispose](): Promise<void> {
        for (const process of this.#processes) await process[Symbol.asyncDispose]();
    }

    #askAll<Output>(task: string, question: unknown = {}): Promise<Output[]> {
        return this.#askEach(
            task,
            this.#processes.map(() => question),
        );
    }

    /** `questions`: one for each process. */
    #askEach<Output>(task: string, questions: readonly unknown[]): Promise<Output[]> {
        return Promise.all(this.#processes.map((process, index) => process.ask<Output>(task, questions[index])));
    }
}
