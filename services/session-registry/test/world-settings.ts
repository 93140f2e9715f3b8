// A small installation: few addresses, short times.
import type { SessionSnapshot } from "@postern/contracts";
import { parseIpv4 } from "@postern/ip";
import type { RegistryPorts } from "../src/registry.ts";

export const NOTHING = { bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0, droppedIn: 0, droppedOut: 0 };

export const SNAPSHOT: SessionSnapshot = {
    version: 1,
    certificateHash: "00",
    bound: true,
    identity: "ann",
    sstp: {},
    ppp: {},
    deadlines: {},
};

/** Milliseconds; short, so that little has to happen in a test. */
export const GRACE = 2_500;
export const LOST_AFTER = 5_000;
const AMNESTY = 2_500;

export function settings(changes: Partial<RegistryPorts["settings"]> = {}): RegistryPorts["settings"] {
    const network = { first: parseIpv4("10.91.0.1"), last: parseIpv4("10.91.0.9") };
    return {
        pools: {
            default: {
                networks: [network],
                exclude: [],
                gateway: "10.91.0.1",
                hold: 600_000,
                dns: ["10.0.0.53"],
                nbns: [],
            },
        },
        limits: { sessionsPerUser: 2, onLimit: "replace", questions: 128, endedSessions: 1000, bans: 3 },
        admitWithin: 4_500,
        replaceWait: 1_000,
        worker: { lostAfter: LOST_AFTER, amnesty: AMNESTY, reconcileEvery: 60_000 },
        reaper: { every: 5_000, grace: GRACE, keepEnded: 900_000 },
        ...changes,
    };
}
