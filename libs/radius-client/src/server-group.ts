// Servers that know the same: a request goes to the best that lives.
import { DependencyError, InvariantError } from "@postern/errors";
import type { RadiusReply, RadiusRequest } from "./exchange.ts";
import { firstReply } from "./failover.ts";
import type { GroupSettings } from "./group-settings.ts";
import { MonitoredServer } from "./monitored-server.ts";
import type { RadiusObserver } from "./observer.ts";
import { systemPorts, type ClientPorts } from "./ports.ts";
import { inOrder } from "./selection.ts";
import type { ServerState } from "./server-health.ts";

export interface AskOptions {
    /** Aborted when nobody waits for the answer any more. */
    readonly signal: AbortSignal;
    /** The only one that may be asked: the `server` of the reply that this one follows. */
    readonly server?: string;
}

export class ServerGroup {
    readonly #servers: readonly MonitoredServer[];
    readonly #settings: GroupSettings;
    readonly #ports: ClientPorts;

    constructor(settings: GroupSettings, observer: RadiusObserver, ports: ClientPorts = systemPorts) {
        this.#settings = settings;
        this.#ports = ports;
        this.#servers = settings.servers.map((server) => new MonitoredServer(server, settings, ports, observer));
    }

    /** Each with what is believed of it. */
    get states(): readonly { readonly server: string; readonly state: ServerState }[] {
        return this.#servers.map(({ name, state }) => ({ server: name, state }));
    }

    /** Asks every server for its status. */
    start(): void {
        for (const server of this.#servers) server.start();
    }

    /** Ends what waits as a DependencyError, and closes every socket. */
    stop(): void {
        for (const server of this.#servers) server.stop(new Error("stopped"));
    }

    /** The first verified reply.  Rejects with a DependencyError that says what became of the request at each server. */
    async ask(request: RadiusRequest, { signal, server }: AskOptions): Promise<RadiusReply> {
        const end = new AbortController();
        const onAbort = (): void => end.abort();
        signal.addEventListener("abort", onAbort, { once: true });
        if (signal.aborted) onAbort();
        const cancel = this.#ports.after(this.#settings.timeout, onAbort);
        try {
            const result = await firstReply(this.#candidates(server), {
                ask: (candidate, ended, onOverdue) => candidate.ask(request, ended, onOverdue),
                signal: end.signal,
            });
            if (typeof result !== "string") return result;
            throw new DependencyError(
                "RADIUS_UNANSWERED",
                signal.aborted ? `nobody waits any more: ${result}` : result,
            );
        } finally {
            cancel();
            signal.removeEventListener("abort", onAbort);
        }
    }

    #candidates(only: string | undefined): readonly MonitoredServer[] {
        if (only === undefined) return inOrder(this.#servers, this.#ports.random);
        const found = this.#servers.filter(({ name }) => name === only);
        if (found.length === 0) throw new InvariantError(`no server ${only}`);
        return found;
    }
}
