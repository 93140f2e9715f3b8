// Users whom RADIUS servers know: PAP, CHAP, MS-CHAPv2, and EAP of any method, which is passed through (RFC 3579).
import { DependencyError } from "@postern/errors";
import { CODE, type Attribute } from "@postern/radius";
import type { ServerGroup } from "@postern/radius-client";
import { rejection, type AuthAttempt, type AuthBackend, type Rejection, type Verdict } from "../../auth-backend.ts";
import { accessRequest, type NasSettings, uncarriable } from "./access-request.ts";
import { readReply, type ReplyQuestion, type ReplyRules } from "./access-reply.ts";

export interface RadiusBackendPorts {
    readonly name: string;
    readonly servers: Pick<ServerGroup, "ask" | "states" | "stop">;
    readonly nas: NasSettings;
    readonly rules: ReplyRules;
}

/** The exchange that an attempt goes on with. */
interface Conversation {
    readonly server: string;
    readonly state: readonly Attribute[];
}

const REPLIES = [CODE.accessAccept, CODE.accessReject, CODE.accessChallenge];

export class RadiusBackend implements AuthBackend {
    readonly name: string;
    readonly #ports: RadiusBackendPorts;

    constructor(ports: RadiusBackendPorts) {
        this.name = ports.name;
        this.#ports = ports;
    }

    readiness(): string | undefined {
        const { states } = this.#ports.servers;
        if (states.some(({ state }) => state !== "dead")) return undefined;
        return `no RADIUS server answers: ${states.map(({ server }) => server).join(", ")}`;
    }

    stop(): Promise<void> {
        this.#ports.servers.stop();
        return Promise.resolve();
    }

    readonly authenticate = (attempt: AuthAttempt, signal: AbortSignal): Promise<Verdict> =>
        this.#ask(attempt, signal, undefined);

    async #ask(attempt: AuthAttempt, signal: AbortSignal, before: Conversation | undefined): Promise<Verdict> {
        const { servers, nas, rules } = this.#ports;
        const { credentials } = attempt;
        const why = uncarriable(credentials);
        if (why !== undefined) return rejection(credentials.method === "pap" ? "bad-credentials" : "malformed", why);
        const reply = await servers.ask(
            {
                code: CODE.accessRequest,
                replies: REPLIES,
                attributes: (secrets) => accessRequest(attempt, nas, before?.state ?? [], secrets),
            },
            // Who has set a challenge knows the State, and nobody else does.
            before === undefined ? { signal } : { signal, server: before.server },
        );
        const read = readReply(credentials, reply, rules);
        if (read.outcome === "challenge") return this.#question(read, reply.server);
        return read.outcome === "accept" && credentials.method === "eap"
            ? (this.#lockedOut(attempt, read) ?? read)
            : read;
    }

    /** Inside of EAP nobody knew until now whose login it is: limits and lock-outs are that user's. */
    #lockedOut(
        { identify }: AuthAttempt,
        { principal, keys }: Extract<Verdict, { outcome: "accept" }>,
    ): Rejection | undefined {
        const refused = identify(principal);
        if (refused !== undefined) keys?.hlak.fill(0);
        return refused;
    }

    #question({ packet, state, timeout }: ReplyQuestion, server: string): Verdict {
        return {
            outcome: "challenge",
            kind: "eap",
            packet,
            ...(timeout === undefined ? {} : { timeout }),
            answer: (attempt, signal) => {
                if (attempt.credentials.method !== "eap") throw new DependencyError("RADIUS_UNANSWERED", "not EAP");
                return this.#ask(attempt, signal, { server, state });
            },
        };
    }
}
