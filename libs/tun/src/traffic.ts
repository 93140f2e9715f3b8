// What passed and what did not, of one session or of many.
import type { Counters } from "@postern/contracts";

/** Why packets of a session did not pass, towards the network and towards the client; native/session.h has the same order. */
export const DROP_REASONS = [
    "gate-closed",
    "malformed",
    "foreign-source",
    "not-routed",
    "too-big",
    "queue-full",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];
export type Drops = Record<DropReason, number>;

export const noDrops = (): Drops => ({
    "gate-closed": 0,
    malformed: 0,
    "foreign-source": 0,
    "not-routed": 0,
    "too-big": 0,
    "queue-full": 0,
});

/** The counters of the contracts, to count with. */
export type PathCounters = { -readonly [Name in keyof Counters]: Counters[Name] };

export const NO_TRAFFIC: Readonly<Counters> = {
    bytesIn: 0,
    bytesOut: 0,
    packetsIn: 0,
    packetsOut: 0,
    droppedIn: 0,
    droppedOut: 0,
};

export const addCounters = (one: Counters, other: Counters = NO_TRAFFIC): Counters => ({
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
    packetsIn: one.packetsIn + other.packetsIn,
    packetsOut: one.packetsOut + other.packetsOut,
    droppedIn: one.droppedIn + other.droppedIn,
    droppedOut: one.droppedOut + other.droppedOut,
});
