// One conversation for each attempt, on all brokers together: whoever creates `auth-state/attempt.<session>.<attempt>` first
// has it.  A question that is repeated to another broker must not be a second guess, a second RADIUS request, a second push.
import type { Bucket } from "@postern/bus";
import type { AttemptRecord, AuthStateRecord } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { pause, type Clock } from "./clock.ts";

export interface AttemptClaimsPorts {
    readonly bucket: Pick<Bucket<AuthStateRecord>, "get" | "create">;
    readonly clock: Clock;
    readonly replica: string;
    /** Milliseconds for which a claim is remembered: longer than any conversation. */
    readonly kept: number;
}

/** How long a store without a leader is waited for. */
const PATIENCE = 10_000;
const RETRY_PAUSE = 200;

export class AttemptClaims {
    readonly #ports: AttemptClaimsPorts;

    constructor(ports: AttemptClaimsPorts) {
        this.#ports = ports;
    }

    /** `undefined`: the attempt is ours; else who has it.  Rejects with a DependencyError when the bus cannot tell. */
    async claim(
        session: string,
        attempt: number,
        conversation: string,
        signal: AbortSignal,
    ): Promise<AttemptRecord | undefined> {
        const { bucket, clock, replica, kept } = this.#ports;
        const key = `attempt.${session}.${attempt}`;
        const record: AttemptRecord = { kind: "attempt", conversation, replica };
        const giveUpAt = clock.now() + PATIENCE;
        for (;;) {
            try {
                const created = await bucket.create(key, record, { ttlSeconds: Math.ceil(kept / 1000) });
                if (created !== undefined) return undefined;
                const found = (await bucket.get(key))?.value;
                // A creation whose acknowledgement was lost is ours all the same.
                if (found?.kind === "attempt") return found.conversation === conversation ? undefined : found;
            } catch (error) {
                if (!(error instanceof DependencyError) || signal.aborted || clock.now() >= giveUpAt) throw error;
                await pause(clock, RETRY_PAUSE, signal);
            }
        }
    }
}
