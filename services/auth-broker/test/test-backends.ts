// Backends that are no directory: one that asks back and takes a minute, and one that is down.
import { randomBytes } from "node:crypto";
import { decodeUtf8 } from "@postern/bytes";
import { DependencyError } from "@postern/errors";
import { ntPasswordHash, verifyMschapv2 } from "@postern/ppp";
import { rejection, type AuthAttempt, type AuthBackend, type Step, type Verdict } from "../src/auth-backend.ts";
import { pause, type Clock } from "../src/clock.ts";
import { digests } from "../src/digests.ts";

const MINUTE = 60_000;

/** As a RADIUS server with a second factor: sets a challenge, then takes a minute to decide about the answer to it. */
export class AskingBackend implements AuthBackend {
    readonly name = "asking";
    /** Decisions that were begun: one for each time that a user's telephone rang. */
    rings = 0;
    readonly #clock: Clock;
    readonly #user: string;
    readonly #password: string;

    constructor(clock: Clock, user: string, password: string) {
        this.#clock = clock;
        this.#user = user;
        this.#password = password;
    }

    readiness(): undefined {
        return undefined;
    }

    readonly authenticate = async ({ credentials }: AuthAttempt): Promise<Verdict> => {
        await Promise.resolve();
        if (credentials.identity.toLowerCase() !== this.#user) return rejection("unknown-user", "no such user");
        const mschap = { error: 691, message: "Once more" };
        return { outcome: "challenge", kind: "mschap", mschap, challenge: randomBytes(16), answer: this.#decideSlowly };
    };

    readonly #decideSlowly: Step = async ({ credentials }, signal) => {
        this.rings += 1;
        await pause(this.#clock, MINUTE, signal);
        const accept = { outcome: "accept", principal: this.#user, groups: [], policy: { pool: "default" } } as const;
        if (credentials.method === "pap") {
            const fits = decodeUtf8(credentials.password) === this.#password;
            return fits ? accept : rejection("bad-credentials", "wrong password");
        }
        if (credentials.method !== "mschapv2") return rejection("method-not-allowed", credentials.method);
        const { identity, challenge, response } = credentials;
        const attempt = { user: identity, challenge, response };
        const verdict = verifyMschapv2(digests, ntPasswordHash(this.#password), attempt);
        if (verdict === undefined) return rejection("bad-credentials", "wrong password");
        return { ...accept, keys: { authenticatorResponse: verdict.message, hlak: verdict.hlak } };
    };
}

/** Every server of it is silent: it gives up after a while. */
export class SilentBackend implements AuthBackend {
    readonly name = "silent";
    readonly #clock: Clock;

    constructor(clock: Clock) {
        this.#clock = clock;
    }

    readiness(): string {
        return "no server answers";
    }

    readonly authenticate = async (_attempt: AuthAttempt, signal: AbortSignal): Promise<Verdict> => {
        await pause(this.#clock, MINUTE / 2, signal);
        throw new DependencyError("BUS_TIMEOUT", "no server answers");
    };
}
