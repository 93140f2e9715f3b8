// What stands before every backend: limits before any work, lock-outs, and refusals that are held back.
import { canonicalName, type NameRules } from "@postern/accounts";
import type { AuthFailureReason } from "@postern/contracts";
import { sourceNetwork } from "@postern/ip";
import { rejection, type Rejection, type Step, type SubmittedAttempt, type Verdict } from "./auth-backend.ts";
import { pause, type Clock } from "./clock.ts";
import type { FailureDelays } from "./failure-delays.ts";
import type { Lockouts } from "./lockouts.ts";
import type { RecentMap } from "./recent-map.ts";
import type { TokenBuckets } from "./token-buckets.ts";

export interface AttemptGuardPorts {
    readonly clock: Clock;
    readonly names: NameRules;
    readonly perSource: Pick<TokenBuckets, "take">;
    readonly perUser: Pick<TokenBuckets, "take">;
    /** Users with the sources that they have logged in from: each has a bucket of its own, which guesses from elsewhere do not empty. */
    readonly familiar: Pick<RecentMap<true>, "get" | "set">;
    readonly lockouts: Pick<Lockouts, "lockedUntil" | "countFailure" | "clear">;
    readonly delays: Pick<FailureDelays, "afterFailure" | "forget">;
}

/** Names that no user can have are counted as one. */
const NO_NAME = "(not a name)";

/** Refusals that say that somebody guesses. */
const GUESSES: readonly AuthFailureReason[] = ["bad-credentials", "unknown-user"];

export class AttemptGuard {
    readonly #ports: AttemptGuardPorts;

    constructor(ports: AttemptGuardPorts) {
        this.#ports = ports;
    }

    /** The refusal of a login that is one too many, before anything has been done for it.  `identity`: see `countedIdentity`. */
    throttle(identity: string | undefined, address: string): Rejection | undefined {
        const source = sourceNetwork(address);
        if (!this.#ports.perSource.take(source)) return rejection("throttled", `too many attempts from ${source}`);
        return identity === undefined ? undefined : this.#throttleUser(this.#countedName(identity), source);
    }

    #throttleUser(user: string, source: string): Rejection | undefined {
        const { perUser, familiar } = this.#ports;
        const known = pairOf(user, source);
        if (!perUser.take(familiar.get(known) === true ? known : user))
            return rejection("throttled", `too many attempts for ${user}`);
        return undefined;
    }

    /** What `step` decides, unless the user is locked out from there; failures are counted before anybody hears of them. */
    async decide(submitted: SubmittedAttempt, step: Step, signal: AbortSignal): Promise<Verdict> {
        const { lockouts, delays, familiar } = this.#ports;
        const source = sourceNetwork(submitted.client.address);
        const lock = (user: string): Rejection | undefined =>
            lockouts.lockedUntil(user, source) === undefined ? undefined : locked(user, source);
        const claimed = countedIdentity(submitted.credentials);
        const refused = claimed === undefined ? undefined : lock(this.#countedName(claimed));
        if (refused !== undefined) return refused;
        let inner: string | undefined;
        const identify = (identity: string): Rejection | undefined => {
            inner = identity;
            const name = this.#countedName(identity);
            return this.#throttleUser(name, source) ?? lock(name);
        };
        const verdict = await step({ ...submitted, identify }, signal);
        if (verdict.outcome === "challenge") return verdict;
        if (verdict.outcome === "reject") {
            const tried = inner ?? claimed;
            if (tried !== undefined && GUESSES.includes(verdict.reason)) {
                await lockouts.countFailure(this.#countedName(tried), source, verdict.reason !== "unknown-user");
            }
            return inner === undefined ? verdict : { ...verdict, identity: inner };
        }
        const user = this.#countedName(inner ?? claimed ?? verdict.principal);
        // Guesses that were sent all at once: the right one does not count when the wrong ones have locked the user.
        if (lockouts.lockedUntil(user, source) !== undefined) return locked(user, source);
        delays.forget(user);
        familiar.set(pairOf(user, source), true);
        await lockouts.clear(user, source);
        return verdict;
    }

    /** Lets whoever guessed wait for the answer, longer each time. */
    async holdBack(identity: string | undefined, { reason }: Rejection, signal: AbortSignal): Promise<void> {
        if (identity === undefined || (!GUESSES.includes(reason) && reason !== "account-locked")) return;
        const milliseconds = this.#ports.delays.afterFailure(this.#countedName(identity));
        await pause(this.#ports.clock, milliseconds, signal);
    }

    #countedName(identity: string): string {
        return canonicalName(identity, this.#ports.names) ?? NO_NAME;
    }
}

/**
 * The name whose limits, delays and locks an attempt is held against; `undefined` with EAP, whose outer identity may be
 * anybody's: there the backend says when it knows, or nobody but the source is counted.
 */
export const countedIdentity = ({
    method,
    identity,
}: {
    readonly method: string;
    readonly identity: string;
}): string | undefined => (method === "eap" ? undefined : identity);

/** No name has that character in it. */
const pairOf = (user: string, source: string): string => `${user}\0${source}`;

const locked = (user: string, source: string): Rejection =>
    rejection("account-locked", `${user} is locked out from ${source} after too many failures`);
