// What a service is to the process that runs it, and what it is given.
import type { Bus } from "@postern/bus";
import type { Config } from "@postern/config";
import type { EventContract, ReleaseQuestion } from "@postern/contracts";
import type { Logger, Metrics } from "@postern/telemetry";
import type { z } from "zod";

/** Facts for everybody: CloudEvents on the bus. */
export interface Events {
    /**
     * Makes a durable fact certain: resolves when it is on disk; it reaches the stream whatever happens to this process.
     * With `settle` the registry decides first whether it is the terminal fact of its session.
     * Rejects with `OUTBOX_FULL`: do not go on with what the fact would be about.
     */
    append<Data extends z.ZodType>(
        contract: EventContract<Data>,
        about: string,
        data: z.input<Data>,
        settle?: ReleaseQuestion,
    ): Promise<void>;
    /** False: the outbox is full and takes only the ends of sessions; take no new ones. */
    readonly accepting: boolean;
    /** Says a fact that may be lost with this process. */
    emit<Data extends z.ZodType>(contract: EventContract<Data>, about: string, data: z.input<Data>): void;
}

export interface ServiceContext<Section> {
    readonly instance: string;
    /** Wall-clock milliseconds at the start of this process; raised by every start. */
    readonly epoch: number;
    readonly config: Config;
    /** The service's own section, with the overrides of this instance. */
    readonly section: Section;
    readonly log: Logger;
    readonly metrics: Metrics;
    readonly bus: Bus;
    readonly events: Events;
}

export interface Service {
    /** Resolves when the service does its work. */
    start(): Promise<void>;
    /** Ends the work in order, telling peers why; called once, even before `start` has resolved. */
    stop(reason: string): Promise<void>;
    /** Why new work should go elsewhere; `undefined`: it is welcome. */
    readiness(): string | undefined;
}
