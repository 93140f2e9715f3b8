// The answering side of a request: at most so many at once, a bounded queue behind them, and always some answer.
import { setTimeout as delay } from "node:timers/promises";
import { headers, type Msg, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import type { RequestContract } from "@postern/contracts";
import { DependencyError, PosternError } from "@postern/errors";
import type { z } from "zod";
import type { AnswerOptions, BusLog, BusMetrics, Stoppable } from "./bus.ts";
import {
    busFailure,
    FAILURE_DETAIL_HEADER,
    FAILURE_HEADER,
    type FailureCode,
    messageOf,
    outcomeOf,
} from "./failures.ts";
import { decodeJson, encodeJson } from "./json.ts";

const DEFAULT_CONCURRENCY = 64;
const WAITING_PER_RUNNING = 16;

export interface ResponderPorts {
    readonly connection: NatsConnection;
    readonly log: BusLog;
    readonly metrics: BusMetrics | undefined;
}

interface ReceivedQuestion {
    readonly message: Msg;
    /** Monotonic milliseconds. */
    readonly arrivedAt: number;
}

/** What the contract parsed in, what the contract will check out. */
export type UncheckedHandler = (question: unknown) => Promise<unknown>;

export class Responder implements Stoppable {
    readonly #ports: ResponderPorts;
    readonly #name: string;
    readonly #contract: RequestContract<z.ZodType, z.ZodType>;
    readonly #handler: UncheckedHandler;
    readonly #concurrency: number;
    readonly #waiting: ReceivedQuestion[] = [];
    readonly #running = new Set<Promise<void>>();
    readonly #subscription: Subscription;

    constructor(
        ports: ResponderPorts,
        subject: string,
        name: string,
        contract: RequestContract<z.ZodType, z.ZodType>,
        handler: UncheckedHandler,
        { queue, concurrency = DEFAULT_CONCURRENCY }: AnswerOptions,
    ) {
        this.#ports = ports;
        this.#name = name;
        this.#contract = contract;
        this.#handler = handler;
        this.#concurrency = concurrency;
        this.#subscription = ports.connection.subscribe(subject, {
            ...(queue === undefined ? {} : { queue }),
            callback: (error, message) => {
                if (error === null) this.#accept(message);
                else ports.log.error({ subject, reason: messageOf(error) }, "a subscription for questions ended");
            },
        });
    }

    /** Resolves when the server has the subscription; rejects when the credentials do not allow it. */
    async subscribed(): Promise<void> {
        const what = `answering ${this.#name}`;
        try {
            await this.#ports.connection.flush();
        } catch (error) {
            throw busFailure(error, what);
        }
        // The server reports a refusal before it answers the flush.
        if (this.#subscription.isClosed()) {
            throw busFailure((await this.#subscription.closed) ?? "the subscription was closed", what);
        }
    }

    /** Takes no more questions and finishes those that it has, as far as somebody still waits for their answers. */
    async stop(): Promise<void> {
        if (!this.#subscription.isClosed() && !this.#ports.connection.isClosed()) {
            await this.#subscription.drain().catch((error: unknown) => {
                this.#ports.log.info({ reason: messageOf(error) }, "a subscription was closed without the server");
            });
        }
        const finished = new AbortController();
        const abandoned = delay(this.#contract.timeout, "abandoned", { signal: finished.signal });
        const done = this.#drained();
        if ((await Promise.race([done, abandoned])) === "abandoned") {
            this.#ports.log.warn(
                { request: this.#name, unfinished: this.#running.size },
                "questions are left unanswered",
            );
        }
        finished.abort();
        abandoned.catch(() => undefined);
    }

    async #drained(): Promise<void> {
        while (this.#running.size > 0) await Promise.all(this.#running);
    }

    #accept(message: Msg): void {
        const question = { message, arrivedAt: performance.now() };
        if (this.#running.size < this.#concurrency) this.#run(question);
        else if (this.#waiting.length < this.#concurrency * WAITING_PER_RUNNING) this.#waiting.push(question);
        else this.#refuse(question, "BUS_OVERLOADED", `${this.#name}: too many questions wait`);
    }

    #run(question: ReceivedQuestion): void {
        const run = this.#handle(question).finally(() => {
            this.#running.delete(run);
            this.#runNext();
        });
        this.#running.add(run);
    }

    #runNext(): void {
        for (;;) {
            const next = this.#waiting.shift();
            if (next === undefined) return;
            // Nobody waits for the answer any more.
            if (performance.now() - next.arrivedAt < this.#contract.timeout) return this.#run(next);
            this.#ports.metrics?.answered(this.#name, "timeout", performance.now() - next.arrivedAt);
        }
    }

    async #handle(question: ReceivedQuestion): Promise<void> {
        const { message, arrivedAt } = question;
        let asked: unknown;
        try {
            asked = decodeJson(this.#contract.question, message.data, `question to ${this.#name}`);
        } catch (error) {
            this.#ports.metrics?.badMessage(this.#name);
            this.#ports.log.warn({ request: this.#name, reason: messageOf(error) }, "a question breaks its contract");
            return this.#refuse(question, "BUS_BAD_MESSAGE", messageOf(error));
        }
        try {
            const answer = encodeJson(this.#contract.answer, await this.#handler(asked), `answer to ${this.#name}`);
            this.#respond(message, answer);
        } catch (error) {
            this.#ports.log.error({ request: this.#name, error }, "could not answer a question");
            // The cause may hold more than the asker should know.
            const cause = error instanceof PosternError ? error.code : "internal error";
            return this.#refuse(question, "BUS_REMOTE_FAILED", `${this.#name}: ${cause}`);
        }
        this.#ports.metrics?.answered(this.#name, "ok", performance.now() - arrivedAt);
    }

    #refuse({ message, arrivedAt }: ReceivedQuestion, code: FailureCode, detail: string): void {
        const failure = headers();
        failure.set(FAILURE_HEADER, code);
        failure.set(FAILURE_DETAIL_HEADER, detail.replaceAll(/[\r\n]+/g, " ").slice(0, 500));
        this.#respond(message, "", failure);
        const outcome = outcomeOf(new DependencyError(code));
        this.#ports.metrics?.answered(this.#name, outcome, performance.now() - arrivedAt);
    }

    #respond(message: Msg, payload: string, failure?: ReturnType<typeof headers>): void {
        try {
            message.respond(payload, failure === undefined ? {} : { headers: failure });
        } catch (error) {
            this.#ports.log.warn({ request: this.#name, reason: messageOf(error) }, "an answer could not be sent");
        }
    }
}
