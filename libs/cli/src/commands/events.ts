// `postern events`: the live tail of the event stream.
import type { Bus } from "@postern/bus";
import { EVENT_KINDS, eventByType, type CloudEvent } from "@postern/contracts";
import { ConfigError } from "@postern/errors";
import type { Output } from "../output.ts";

export interface EventFilter {
    readonly kind?: string;
    readonly name?: string;
    /** Only events whose subject this is: a session id, a source address, a user. */
    readonly about?: string;
    /** Also what happened in so many milliseconds before now. */
    readonly since?: number;
}

/** Follows until `signal` is aborted. */
export async function tailEvents(bus: Bus, output: Output, filter: EventFilter, signal: AbortSignal): Promise<void> {
    const { kind, name, about, since } = filter;
    if (kind !== undefined && !EVENT_KINDS.some((known) => known === kind)) {
        throw new ConfigError("CLI_USAGE", `there are no events of kind ${kind}; there are ${EVENT_KINDS.join(", ")}`);
    }
    const from = since === undefined ? "now" : new Date(Date.now() - since);
    const tail = await bus.tail(bus.subjects.eventFilter(kind, name), { from }, (event) => {
        if (about === undefined || event.subject === about) output.item(event, describeEvent(event));
    });
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await tail.stop();
}

/** `2026-01-31T12:00:00.000Z session.ended 01jf… worker-1 principal=demo reason=idle-timeout …` */
export function describeEvent({ time, type, subject, instance, data }: CloudEvent): string {
    const contract = eventByType(type);
    const name = contract === undefined ? type : `${contract.kind}.${contract.name}`;
    const shown = typeof data === "object" && data !== null ? Object.entries(data) : [];
    const fields = shown
        .filter(([, value]) => value !== subject)
        .map(([key, value]) => `${key}=${describeValue(value)}`);
    return [time, name, subject, instance, ...fields].join(" ");
}

/** Flat values as they are, nested ones as JSON: a line of an event is for reading, `--json` is for programs. */
function describeValue(value: unknown): string {
    if (typeof value === "string") return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
    return JSON.stringify(value);
}
