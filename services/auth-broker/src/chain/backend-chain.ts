// Which backends are asked about an attempt, in which order, and what follows when one cannot decide.
import { DependencyError, InvariantError } from "@postern/errors";
import {
    rejection,
    type AttemptCredentials,
    type AuthAttempt,
    type AuthBackend,
    type Step,
    type Verdict,
} from "../auth-backend.ts";

type Method = AttemptCredentials["method"];

/** One backend of an entry. */
export interface ChainLink {
    readonly backend: AuthBackend;
    /** Those that it serves here; `undefined`: all that it can. */
    readonly methods?: readonly Method[];
    /** What follows when it cannot decide. */
    readonly unreachable: "deny" | "next";
}

export interface ChainEntry {
    /** `corp.example` of `user@corp.example`, or `CORP` of `CORP\user`; `undefined`: any, also none. */
    readonly realm?: string;
    /** The name in the TLS ClientHello; `undefined`: any, also none. */
    readonly serverName?: string;
    readonly links: readonly ChainLink[];
}

/** A backend could not decide, and the next one was asked. */
export interface Skip {
    readonly backend: string;
    readonly next: string;
    readonly detail: string;
}

export interface BackendChainPorts {
    /** The first one that fits an attempt decides about it. */
    readonly entries: readonly ChainEntry[];
    readonly onSkipped: (skip: Skip, attempt: AuthAttempt) => void;
}

/** The backends of an installation as one.  Its verdicts say which of them decided. */
export class BackendChain implements AuthBackend {
    readonly name = "chain";
    readonly #ports: BackendChainPorts;

    constructor(ports: BackendChainPorts) {
        this.#ports = ports;
    }

    /** It can decide while any of its backends can: those that others may use are not refused because one is away. */
    readiness(): string | undefined {
        const backends = new Set(this.#ports.entries.flatMap(({ links }) => links.map(({ backend }) => backend)));
        const reasons: string[] = [];
        for (const backend of backends) {
            const reason = backend.readiness();
            if (reason === undefined) return undefined;
            reasons.push(`${backend.name}: ${reason}`);
        }
        return reasons.join("; ");
    }

    readonly authenticate: Step = (attempt, signal) => {
        const entry = this.#ports.entries.find((candidate) => fits(candidate, attempt));
        if (entry === undefined) {
            const detail = "no entry of auth-broker.chain is for this realm and server name";
            return Promise.resolve(rejection("unknown-user", detail));
        }
        const { method } = attempt.credentials;
        const links = entry.links.filter(
            ({ methods, backend }) => (methods ?? backend.methods)?.includes(method) ?? true,
        );
        if (links.length === 0) {
            return Promise.resolve(rejection("method-not-allowed", `no backend of this realm serves ${method}`));
        }
        return this.#ask(links, attempt, signal);
    };

    async #ask(links: readonly ChainLink[], attempt: AuthAttempt, signal: AbortSignal): Promise<Verdict> {
        const [link, ...others] = links;
        if (link === undefined) throw new InvariantError("a chain without backends");
        const [following] = others;
        const { backend, unreachable } = link;
        try {
            return named(await backend.authenticate(attempt, signal), backend.name);
        } catch (error) {
            if (!(error instanceof DependencyError)) throw error;
            // Whoever does not wait any more is not asked about elsewhere.
            if (unreachable === "deny" || following === undefined || signal.aborted) {
                return { ...rejection("backend-unavailable", error.message), backend: backend.name };
            }
            const skip = { backend: backend.name, next: following.backend.name, detail: error.message };
            this.#ports.onSkipped(skip, attempt);
            return this.#ask(others, attempt, signal);
        }
    }
}

/** The verdict, and those that follow from it, with the name of who decided.  Who set a challenge decides about its answer. */
function named(verdict: Verdict, backend: string): Verdict {
    if (verdict.outcome !== "challenge") return { backend, ...verdict };
    const answer: Step = async (attempt, signal) => {
        try {
            return named(await verdict.answer(attempt, signal), backend);
        } catch (error) {
            if (!(error instanceof DependencyError)) throw error;
            return { ...rejection("backend-unavailable", error.message), backend };
        }
    };
    return { ...verdict, answer };
}

function fits({ realm, serverName }: ChainEntry, { credentials, serverName: dialled }: AuthAttempt): boolean {
    if (serverName !== undefined && dialled?.toLowerCase() !== serverName.toLowerCase()) return false;
    return realm === undefined || realmsOf(credentials.identity).includes(realm.toLowerCase());
}

/** `corp` of `CORP\alice`, `corp.example` of `alice@corp.example`. */
function realmsOf(identity: string): string[] {
    const lower = identity.toLowerCase();
    const prefix = lower.indexOf("\\");
    const suffix = lower.lastIndexOf("@");
    return [...(prefix > 0 ? [lower.slice(0, prefix)] : []), ...(suffix >= 0 ? [lower.slice(suffix + 1)] : [])];
}
