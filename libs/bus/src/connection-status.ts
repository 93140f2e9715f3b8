// Whether the server can be reached, for those who ask, those who listen and those who wait.
import type { NatsConnection } from "@nats-io/transport-node";
import { DependencyError } from "@postern/errors";
import type { BusLog, BusStatus } from "./bus.ts";
import { messageOf } from "./failures.ts";

export class ConnectionStatus {
    readonly #connection: NatsConnection;
    readonly #log: BusLog;
    readonly #clock: () => number;
    readonly #listeners = new Set<(status: BusStatus) => void>();
    #status: BusStatus;

    constructor(connection: NatsConnection, log: BusLog, clock: () => number) {
        this.#connection = connection;
        this.#log = log;
        this.#clock = clock;
        this.#status = { connected: true, since: clock() };
    }

    get status(): BusStatus {
        return this.#status;
    }

    onChange(listener: (status: BusStatus) => void): () => void {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }

    /** Resolves when connected; rejects with `BUS_UNAVAILABLE` after `timeout` milliseconds, or with the signal's reason. */
    async connected(timeout: number, what: string, signal?: AbortSignal): Promise<void> {
        signal?.throwIfAborted();
        if (this.#status.connected) return;
        await new Promise<void>((resolve, reject) => {
            const finish = (settle: () => void): void => {
                clearTimeout(timer);
                stopListening();
                signal?.removeEventListener("abort", abort);
                settle();
            };
            const abort = (): void => finish(() => reject(signal?.reason));
            const stopListening = this.onChange(({ connected }) => connected && finish(resolve));
            const timer = setTimeout(
                () => finish(() => reject(new DependencyError("BUS_UNAVAILABLE", `${what}: not connected to NATS`))),
                timeout,
            );
            signal?.addEventListener("abort", abort, { once: true });
        });
    }

    /**
     * `answer`, or `BUS_UNAVAILABLE` as soon as the connection is lost: what was asked over it may have been done, but the answer
     * will not come.
     */
    async whileConnected<T>(answer: Promise<T>, what: string): Promise<T> {
        const { promise: lost, reject } = Promise.withResolvers<never>();
        const stopListening = this.onChange(({ connected }) => {
            if (!connected) reject(new DependencyError("BUS_UNAVAILABLE", `${what}: the connection was lost`));
        });
        try {
            return await Promise.race([answer, lost]);
        } finally {
            stopListening();
            // Whichever did not win the race may still fail, and nobody waits for it.
            answer.catch(() => undefined);
            lost.catch(() => undefined);
        }
    }

    /** Follows the client's reports until the connection is closed for good. */
    async follow(): Promise<void> {
        for await (const report of this.#connection.status()) {
            if (report.type === "disconnect")
                this.#change(false, { server: report.server }, "lost the connection to NATS");
            else if (report.type === "reconnect")
                this.#change(true, { server: report.server }, "connected to NATS again");
            else if (report.type === "error")
                this.#log.warn({ reason: messageOf(report.error) }, "NATS reports an error");
            else if (report.type === "ldm") this.#log.info({ server: report.server }, "NATS server is about to stop");
            else if (report.type === "staleConnection") this.#log.warn({}, "NATS does not answer pings");
        }
        this.#change(false, {}, undefined);
        this.#log.info({}, "connection to NATS closed");
    }

    #change(connected: boolean, fields: object, message: string | undefined): void {
        if (this.#status.connected === connected) return;
        this.#status = { connected, since: this.#clock() };
        if (message !== undefined) this.#log[connected ? "info" : "warn"](fields, message);
        for (const listener of this.#listeners) listener(this.#status);
    }
}
