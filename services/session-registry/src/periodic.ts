// A task repeated for ever, never twice at once.
import type { Clock } from "./clock.ts";

export interface PeriodicPorts {
    readonly clock: Clock;
    readonly random: () => number;
    /** Told of a round that failed; the next one comes as usual. */
    readonly onFailure: (error: unknown) => void;
}

export class Periodic {
    readonly #ports: PeriodicPorts;
    readonly #interval: number;
    readonly #task: () => Promise<void>;
    #cancel: (() => void) | undefined;
    #round: Promise<void> | undefined;
    #stopped = true;

    /** `interval` milliseconds between two rounds, varied by a quarter so that replicas do not work in step. */
    constructor(ports: PeriodicPorts, interval: number, task: () => Promise<void>) {
        this.#ports = ports;
        this.#interval = interval;
        this.#task = task;
    }

    start(): void {
        this.#stopped = false;
        this.#schedule();
    }

    /** Runs a round now, or waits for the one under way. */
    now(): Promise<void> {
        this.#round ??= this.#task()
            .catch((error: unknown) => this.#ports.onFailure(error))
            .finally(() => (this.#round = undefined));
        return this.#round;
    }

    async stop(): Promise<void> {
        this.#stopped = true;
        this.#cancel?.();
        await this.#round;
    }

    #schedule(): void {
        if (this.#stopped) return;
        const { clock, random } = this.#ports;
        this.#cancel = clock.after(this.#interval * (0.75 + random() / 2), () => {
            void this.now().then(() => this.#schedule());
        });
    }
}
