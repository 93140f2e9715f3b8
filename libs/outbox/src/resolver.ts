// Deciding, entry by entry and strictly in order, what is told and under which sequence number.
//
// Who tells the end of a session is asked ahead for several entries, but an answer is written to the journal before it is used:
// every later number depends on it, and asked again after a crash the registry might no longer know the session.
import { registryRelease, type ReleaseQuestion } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { Backoff } from "./backoff.ts";
import type { OutboxLog, OutboxOptions } from "./outbox.ts";
import type { EntryRecord, Resolution } from "./records.ts";

const ASKED_AHEAD = 16;
const REPEAT_LOG_AFTER = 30_000;

export interface Unresolved {
    readonly index: number;
    /** `undefined`: lost; its number stays unused, for consumers to see the gap. */
    readonly record: EntryRecord | undefined;
    readonly resolution: Resolution | undefined;
}

export interface Resolved {
    readonly index: number;
    readonly record: EntryRecord;
    readonly late: boolean;
    readonly sequence: number;
}

export interface ResolverPorts {
    readonly settle: OutboxOptions["settle"];
    readonly log: OutboxLog;
    readonly random: () => number;
    readonly stopping: AbortSignal;
    /** Resolves when the decision is on disk. */
    readonly decide: (index: number, resolution: Resolution) => Promise<unknown>;
    /** In order; `undefined` for an entry that is not published. */
    readonly onResolved: (index: number, sequence: number, resolved: Resolved | undefined) => void;
}

export class Resolver {
    readonly #ports: ResolverPorts;
    readonly #backoff: Backoff;
    readonly #unresolved: Unresolved[] = [];
    readonly #asked = new Map<number, Promise<Resolution | undefined>>();
    #sequence: number;
    #loggedAt = -Infinity;
    #running = false;

    constructor(ports: ResolverPorts, sequence: number) {
        this.#ports = ports;
        this.#backoff = new Backoff(ports.random, ports.stopping);
        this.#sequence = sequence;
    }

    add(entry: Unresolved): void {
        this.#unresolved.push(entry);
        if (!this.#running) this.#run();
    }

    /** Entries that need no answer are resolved at once, so that a lone event is not delayed. */
    #run(): void {
        for (let entry = this.#unresolved[0]; entry !== undefined; entry = this.#unresolved[0]) {
            const known = this.#known(entry);
            if (known === undefined) {
                this.#running = true;
                this.#runFrom(entry).catch((error: unknown) => this.#ports.log.error({ error }, "the outbox is stuck"));
                return;
            }
            this.#finish(entry, known);
        }
    }

    async #runFrom(entry: Unresolved): Promise<void> {
        const resolution = await this.#askAndDecide(entry);
        this.#running = false;
        if (resolution === undefined) return;
        this.#finish(entry, resolution);
        this.#run();
    }

    #known({ record, resolution }: Unresolved): Resolution | undefined {
        return record?.settle === undefined ? (resolution ?? "as-is") : resolution;
    }

    #finish({ index, record }: Unresolved, resolution: Resolution): void {
        this.#unresolved.shift();
        this.#asked.delete(index);
        if (resolution !== "dropped") this.#sequence += 1;
        const published = record !== undefined && resolution !== "dropped";
        this.#ports.onResolved(
            index,
            this.#sequence,
            published ? { index, record, late: resolution === "late", sequence: this.#sequence } : undefined,
        );
    }

    /** `undefined`: the outbox stops. */
    async #askAndDecide(entry: Unresolved): Promise<Resolution | undefined> {
        for (const next of this.#unresolved.slice(0, ASKED_AHEAD)) {
            if (this.#known(next) === undefined && !this.#asked.has(next.index))
                this.#asked.set(next.index, this.#ask(next));
        }
        const resolution = await this.#asked.get(entry.index);
        if (resolution === undefined) return undefined;
        while (!this.#ports.stopping.aborted) {
            try {
                await this.#ports.decide(entry.index, resolution);
                this.#backoff.reset();
                return resolution;
            } catch (error) {
                this.#logOften(error, "a settlement cannot be written down");
                await this.#backoff.wait();
            }
        }
        return undefined;
    }

    async #ask({ record }: Unresolved): Promise<Resolution | undefined> {
        const backoff = new Backoff(this.#ports.random, this.#ports.stopping);
        const question = registryRelease.question.safeParse(record?.settle);
        if (!question.success) return this.#unanswerable(record, question.error);
        while (!this.#ports.stopping.aborted) {
            try {
                return this.#resolutionOf(question.data, await this.#ports.settle(question.data));
            } catch (error) {
                if (error instanceof DependencyError && error.code === "BUS_BAD_MESSAGE") {
                    return this.#unanswerable(record, error);
                }
                this.#logOften(error, "the registry cannot be asked who ends a session; trying again");
                await backoff.wait();
            }
        }
        return undefined;
    }

    #resolutionOf(question: ReleaseQuestion, outcome: "won" | "lost" | "unknown"): Resolution {
        if (outcome === "won") return "as-is";
        const fields = { session: question.session, reason: question.reason, outcome };
        if (outcome === "unknown") {
            this.#ports.log.warn(fields, "the registry knows nothing of a session; its end is not published");
            return "dropped";
        }
        // Who only supposed the end has no counters of its own to add.
        return question.exact ? "late" : "dropped";
    }

    /** Waiting would not help, and would hold up everything behind it. */
    #unanswerable(record: EntryRecord | undefined, error: unknown): Resolution {
        const fields = { error, session: record?.about };
        this.#ports.log.error(fields, "a settlement is not a valid question; the end is published as late counters");
        return "late";
    }

    #logOften(error: unknown, message: string): void {
        const now = performance.now();
        if (now - this.#loggedAt < REPEAT_LOG_AFTER) return;
        this.#loggedAt = now;
        this.#ports.log.warn({ error, waiting: this.#unresolved.length }, message);
    }
}
