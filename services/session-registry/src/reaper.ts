// Undoing what a crash left half done, and forgetting what is over.  The rules find, by memory; the remedies decide, by
// compare-and-set.  What has not looked wrong for the whole grace is left alone: another replica may be at it.
import type { Clock } from "./clock.ts";
import type { Continuity } from "./continuity.ts";
import { Doubts } from "./doubts.ts";

/** What is done about a finding, as the metrics count it. */
export type ReaperAction =
    | "admission-annulled"
    | "lease-freed"
    | "lease-restored"
    | "listing-removed"
    | "listing-restored"
    | "session-ended"
    | "hold-expired"
    | "user-forgotten"
    | "session-forgotten"
    | "worker-forgotten";

export interface Finding {
    readonly action: ReaperAction;
    readonly subject: string;
    /** Wrong unless it passes by itself within the grace; otherwise simply due. */
    readonly suspicious: boolean;
    /** False: there was nothing to do, or somebody else did it. */
    readonly remedy: () => Promise<boolean>;
}

/** Looks for one kind of finding. */
export type Rule = () => Iterable<Finding>;

export interface ReaperPorts {
    readonly rules: readonly Rule[];
    readonly continuity: Continuity;
    readonly clock: Clock;
    /** Milliseconds. */
    readonly grace: number;
    readonly onAction: (finding: Finding) => void;
    readonly onFailure: (error: unknown) => void;
}

/** Remedies applied at once; bounds the reaper's share of the bus. */
const LOT = 16;

export class Reaper {
    readonly #ports: ReaperPorts;
    readonly #doubts: Doubts;

    constructor(ports: ReaperPorts) {
        this.#ports = ports;
        this.#doubts = new Doubts(ports.grace);
    }

    async round(): Promise<void> {
        const { rules, continuity, clock, grace } = this.#ports;
        // After an outage the copies in memory may be older than what they are compared with.
        if (continuity.unbroken < grace) return this.#doubts.clear();
        const now = clock.monotonic();
        const due = rules.flatMap((rule) =>
            [...rule()].filter(
                ({ action, subject, suspicious }) => !suspicious || this.#doubts.isCertain(`${action} ${subject}`, now),
            ),
        );
        this.#doubts.endLook();
        for (let at = 0; at < due.length; at += LOT) {
            await Promise.all(due.slice(at, at + LOT).map((finding) => this.#apply(finding)));
        }
    }

    async #apply(finding: Finding): Promise<void> {
        try {
            if (await finding.remedy()) this.#ports.onAction(finding);
        } catch (error) {
            this.#ports.onFailure(error);
        }
    }
}
