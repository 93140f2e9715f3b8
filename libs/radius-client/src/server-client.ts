// Requests to one server over as many connected sockets as their identifiers need.
import type { ExchangeOutcome, RadiusRequest, SocketOutcome } from "./exchange.ts";
import { RequestSocket, type RequestSocketOptions } from "./request-socket.ts";

export interface ServerClientOptions extends RequestSocketOptions {
    /** Requests that may wait at once. */
    readonly outstanding: number;
    /** Whether a request whose connection broke may be asked again on another one. */
    readonly repeats: boolean;
}

/** One socket more than the requests need, so that identifiers can rest. */
const SPARE_SOCKETS = 1;
const IDENTIFIERS = 256;

export class ServerClient {
    readonly #options: ServerClientOptions;
    readonly #sockets = new Set<RequestSocket>();
    readonly #maxSockets: number;
    #waiting = 0;
    #closed: Error | undefined;

    constructor(options: ServerClientOptions) {
        this.#options = options;
        this.#maxSockets = Math.ceil(options.outstanding / IDENTIFIERS) + SPARE_SOCKETS;
    }

    /**
     * Sends `request` until a reply verifies or `signal` is aborted.  Never rejects.  A connection that was idle may have been
     * forgotten on the way, which only the request shows: one that breaks is tried anew, once.
     */
    async exchange(request: RadiusRequest, signal: AbortSignal): Promise<ExchangeOutcome> {
        const first = await this.#exchangeOnce(request, signal);
        const outcome =
            first.kind === "lost" && this.#options.repeats ? await this.#exchangeOnce(request, signal) : first;
        return outcome.kind === "lost" ? { kind: "unreachable", error: outcome.error } : outcome;
    }

    async #exchangeOnce(request: RadiusRequest, signal: AbortSignal): Promise<SocketOutcome> {
        if (this.#closed !== undefined) return { kind: "unreachable", error: this.#closed };
        if (signal.aborted) return { kind: "ended" };
        if (this.#waiting >= this.#options.outstanding) return { kind: "full" };
        const found = this.#place();
        if (found === undefined) return { kind: "full" };
        this.#waiting += 1;
        try {
            return await found.socket.exchange(request, found.identifier, signal);
        } finally {
            this.#waiting -= 1;
        }
    }

    /** Ends everything that waits, and whatever is asked later, as unreachable. */
    close(error: Error): void {
        this.#closed = error;
        for (const socket of this.#sockets) socket.close(error);
        this.#sockets.clear();
    }

    /** An identifier that has rested, on a socket that is open or may be opened; else the one that has rested longest. */
    #place(): { readonly socket: RequestSocket; readonly identifier: number } | undefined {
        for (const socket of this.#sockets) {
            const identifier = socket.takeRested();
            if (identifier !== undefined) return { socket, identifier };
        }
        if (this.#sockets.size < this.#maxSockets) {
            const socket = this.#open();
            const identifier = socket.takeRested();
            if (identifier !== undefined) return { socket, identifier };
        }
        for (const socket of this.#sockets) {
            const identifier = socket.takeAny();
            if (identifier !== undefined) return { socket, identifier };
        }
        return undefined;
    }

    #open(): RequestSocket {
        const socket: RequestSocket = new RequestSocket(this.#options, () => this.#sockets.delete(socket));
        this.#sockets.add(socket);
        return socket;
    }
}
