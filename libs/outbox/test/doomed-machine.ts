// A machine that loses power at its k-th operation: its processes stop dead, and its disk keeps what was synced and some of the rest.
import type { ReleaseQuestion } from "@postern/contracts";
import type { Host } from "../src/host.ts";
import type { EventStream, OutboxOptions } from "../src/index.ts";
import { VolatileDisk } from "./volatile-disk.ts";

/** What is outside of the machine, and survives it. */
export interface Outside {
    /** Publications in the order in which the stream took them, repetitions included. */
    readonly published: { readonly id: string; readonly payload: string }[];
    /** How the registry answers. */
    settle(question: ReleaseQuestion): Awaited<ReturnType<OutboxOptions["settle"]>>;
    /** Virtual milliseconds. */
    now: number;
    /** Process ids count up over all machines. */
    lastPid: number;
}

export class DoomedMachine {
    readonly outside: Outside;
    readonly disk: VolatileDisk;
    /** Resolves at the power loss. */
    readonly off: Promise<void>;
    readonly #cut: () => void;
    readonly #last: number;
    readonly #ticks = new Set<() => Promise<void>>();
    readonly #pid: number;
    /** Publications wait for this. */
    gate: Promise<void> = Promise.resolve();
    operations = 0;

    /** `last`: the operation at which it ends; Infinity: it does not. */
    constructor(outside: Outside, last: number, disk = new VolatileDisk(() => outside.now)) {
        this.outside = outside;
        this.disk = disk;
        this.#last = last;
        outside.lastPid += 1;
        this.#pid = outside.lastPid;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.off = promise;
        this.#cut = resolve;
        disk.step = () => this.#step();
    }

    get isOff(): boolean {
        return this.operations >= this.#last;
    }

    readonly stream: EventStream = {
        status: { connected: true },
        onStatus: () => () => undefined,
        publish: async (_subject, payload, { id }) => {
            await this.gate;
            await this.#step();
            this.outside.published.push({ id, payload: String(payload) });
            // The stream may have it, and the machine never hear of that.
            await this.#step();
            return { sequence: this.outside.published.length, duplicate: false };
        },
    };

    readonly settle: OutboxOptions["settle"] = async (question) => {
        await this.#step();
        const outcome = this.outside.settle(question);
        await this.#step();
        return outcome;
    };

    get host(): Host {
        const { outside, disk } = this;
        return {
            disk,
            now: () => outside.now,
            elapsed: () => outside.now,
            pause: async (milliseconds) => {
                outside.now += milliseconds;
            },
            // Nobody needs it here: a process that runs is known by its id.
            repeat: () => () => undefined,
            pid: this.#pid,
            startTimeOf: async (pid) => (pid === this.#pid ? "1" : undefined),
            namespace: async () => "machine",
        };
    }

    readonly everySecond = (task: () => Promise<void>): (() => void) => {
        this.#ticks.add(task);
        return () => this.#ticks.delete(task);
    };

    /** A second goes by. */
    async tick(): Promise<void> {
        this.outside.now += 1_000;
        for (const task of this.#ticks) await task();
    }

    /** A process that is no more does nothing: it gets no errors to handle, either. */
    async #step(): Promise<void> {
        if (!this.isOff) this.operations += 1;
        if (!this.isOff) return;
        this.#cut();
        await new Promise(() => undefined);
    }
}
