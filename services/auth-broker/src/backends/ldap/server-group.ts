// The servers of one directory: each knows the same users, and the first that serves decides.
import { DependencyError } from "@postern/errors";
import type { Clock } from "../../clock.ts";
import type { DirectoryServer, ServerSession } from "./directory-server.ts";
import { ServerFailure } from "./ldap-connection.ts";

export class ServerGroup {
    readonly #servers: readonly DirectoryServer[];
    readonly #clock: Clock;
    readonly #timeout: number;

    /** `servers` in the order in which they are asked; `timeout`: milliseconds for all of them together. */
    constructor(servers: readonly DirectoryServer[], clock: Clock, timeout: number) {
        this.#servers = servers;
        this.#clock = clock;
        this.#timeout = timeout;
    }

    /** Throws a DependencyError when none could do it in time. */
    async serve<T>(work: (session: ServerSession) => Promise<T>, signal: AbortSignal): Promise<T> {
        const late = new AbortController();
        const cancel = this.#clock.after(this.#timeout, () => late.abort());
        const limit = AbortSignal.any([signal, late.signal]);
        const failures: string[] = [];
        try {
            for (const server of this.#order()) {
                if (limit.aborted) break;
                if (server.full) {
                    failures.push(`${server.name}: as many logins wait for it as may`);
                    continue;
                }
                try {
                    return await server.serve(work, limit);
                } catch (error) {
                    if (!(error instanceof ServerFailure)) throw error;
                    failures.push(`${server.name}: ${error.message}`);
                }
            }
        } finally {
            cancel();
        }
        throw new DependencyError("LDAP_UNAVAILABLE", failures.join("; ") || "nobody waits any more");
    }

    readiness(): string | undefined {
        return this.#servers.some(({ alive }) => alive) ? undefined : "no LDAP server serves";
    }

    stop(): void {
        for (const server of this.#servers) server.stop();
    }

    /** Dead ones come last: where all are, they are tried all the same. */
    #order(): DirectoryServer[] {
        return [...this.#servers.filter(({ alive }) => alive), ...this.#servers.filter(({ alive }) => !alive)];
    }
}
