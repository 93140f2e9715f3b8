// Publishing in order: one event at a time in each lane, again and again until the stream has acknowledged it.
import { DependencyError } from "@postern/errors";
import { Backoff } from "./backoff.ts";
import type { EventStream, OutboxLog } from "./outbox.ts";

const REPEAT_LOG_AFTER = 30_000;

export interface Publication {
    /** Publications of one lane go one after the other. */
    readonly lane: string;
    readonly subject: string;
    readonly id: string;
    /** The CloudEvent; built when it is sent, because much may wait. */
    readonly payload: () => string;
    readonly onAcknowledged: (acknowledgement: Acknowledgement) => void;
}

export interface Acknowledgement {
    /** In the stream. */
    readonly sequence: number;
    /** The stream had it already. */
    readonly duplicate?: boolean;
}

export interface PublisherPorts {
    readonly stream: EventStream;
    readonly log: OutboxLog;
    readonly random: () => number;
    readonly stopping: AbortSignal;
    /** After this the stream may have lost what it acknowledged lately: before the next attempt, publish that again. */
    readonly onInterruption: () => void;
    readonly onRetry: () => void;
}

interface Lane {
    readonly waiting: Publication[];
    running: boolean;
}

export class Publisher {
    readonly #ports: PublisherPorts;
    readonly #lanes = new Map<string, Lane>();
    readonly #backoffs = new Set<Backoff>();
    readonly #stopListening: () => void;
    #failing = false;
    #loggedAt = -Infinity;

    constructor(ports: PublisherPorts) {
        this.#ports = ports;
        this.#stopListening = ports.stream.onStatus(({ connected }) => {
            if (!connected) return;
            ports.onInterruption();
            for (const backoff of this.#backoffs) backoff.wake();
        });
        ports.stopping.addEventListener("abort", () => this.#stopListening(), { once: true });
    }

    enqueue(publication: Publication): void {
        const lane = this.#lane(publication.lane);
        lane.waiting.push(publication);
        this.#start(publication.lane, lane);
    }

    /** Puts publications that were acknowledged before everything that waits. `again` is in their old order. */
    repeat(again: readonly Publication[]): void {
        for (const publication of again.toReversed()) this.#lane(publication.lane).waiting.unshift(publication);
        for (const { lane } of again) this.#start(lane, this.#lane(lane));
    }

    #lane(name: string): Lane {
        const lane = this.#lanes.get(name) ?? { waiting: [], running: false };
        this.#lanes.set(name, lane);
        return lane;
    }

    #start(name: string, lane: Lane): void {
        if (lane.running || this.#ports.stopping.aborted) return;
        lane.running = true;
        this.#run(name, lane).catch((error: unknown) =>
            this.#ports.log.error({ error, lane: name }, "a lane is stuck"),
        );
    }

    async #run(name: string, lane: Lane): Promise<void> {
        const backoff = new Backoff(this.#ports.random, this.#ports.stopping);
        this.#backoffs.add(backoff);
        // The first may change while one attempt fails: `repeat` puts older ones before it.
        for (let next = lane.waiting[0]; next !== undefined && !this.#ports.stopping.aborted; next = lane.waiting[0]) {
            const acknowledgement = await this.#attempt(next);
            if (acknowledgement === undefined) {
                await backoff.wait();
                continue;
            }
            backoff.reset();
            lane.waiting.splice(lane.waiting.indexOf(next), 1);
            next.onAcknowledged(acknowledgement);
        }
        this.#backoffs.delete(backoff);
        lane.running = false;
        if (lane.waiting.length === 0) this.#lanes.delete(name);
    }

    async #attempt({ subject, id, payload }: Publication): Promise<Acknowledgement | undefined> {
        if (!this.#ports.stream.status.connected) return undefined;
        try {
            const acknowledgement = await this.#ports.stream.publish(subject, payload(), { id });
            if (this.#ports.stopping.aborted) return undefined;
            if (this.#failing) this.#ports.log.info({}, "events are published again");
            this.#failing = false;
            return acknowledgement;
        } catch (error) {
            if (this.#ports.stopping.aborted) return undefined;
            this.#failed(error, subject);
            return undefined;
        }
    }

    #failed(error: unknown, subject: string): void {
        this.#ports.onRetry();
        // A refusal is the stream's own answer: it has everything that it acknowledged.
        const refused = error instanceof DependencyError && error.code === "BUS_REFUSED";
        if (!refused) this.#ports.onInterruption();
        const now = performance.now();
        if (this.#failing && now - this.#loggedAt < REPEAT_LOG_AFTER) return;
        this.#failing = true;
        this.#loggedAt = now;
        this.#ports.log.error({ error, subject }, "events cannot be published; they are kept");
    }
}
