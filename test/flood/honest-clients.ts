// Clients that do nothing wrong: each has a session and pings the gateway once a second, whatever happens around them.
import { setTimeout as delay } from "node:timers/promises";
import { PosternError } from "@postern/errors";
import type { ClientEnd, SstpClient } from "@postern/sstp-client";

const EVERY = 1_000;
const PING_TIMEOUT = 10_000;

export interface HonestReport {
    readonly sessions: number;
    readonly dropped: readonly ClientEnd[];
    readonly pings: number;
    readonly unanswered: number;
    /** Milliseconds. */
    readonly p50: number;
    readonly p99: number;
    readonly worst: number;
}

export class HonestClients implements AsyncDisposable {
    readonly #clients: readonly SstpClient[];
    readonly #over = new AbortController();
    readonly #running: readonly Promise<void>[];
    #dropped: ClientEnd[] = [];
    #times: number[] = [];
    #unanswered = 0;

    /** `clients` are the honest ones' from now on; `gateway` is what they ping. */
    constructor(clients: readonly SstpClient[], gateway: string) {
        this.#clients = clients;
        this.#running = clients.map((client, index) => this.#live(client, gateway, (index * EVERY) / clients.length));
    }

    /** What was seen since it was asked last. */
    take(): HonestReport {
        const times = this.#times.toSorted((a, b) => a - b);
        const at = (share: number): number => Math.round(times[Math.floor(times.length * share)] ?? 0);
        const report = {
            sessions: this.#clients.length,
            dropped: this.#dropped,
            pings: times.length + this.#unanswered,
            unanswered: this.#unanswered,
            p50: at(0.5),
            p99: at(0.99),
            worst: Math.round(times.at(-1) ?? 0),
        };
        this.#dropped = [];
        this.#times = [];
        this.#unanswered = 0;
        return report;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        this.#over.abort();
        await Promise.all(this.#running);
        await Promise.all(this.#clients.map((client) => client.disconnect()));
    }

    async #live(client: SstpClient, gateway: string, offset: number): Promise<void> {
        const end = new AbortController();
        void client.closed.then((why) => {
            end.abort();
            if (!this.#over.signal.aborted) this.#dropped.push(why);
        });
        let next = performance.now() + offset;
        while (!end.signal.aborted) {
            const wait = Math.max(0, next - performance.now());
            await delay(wait, undefined, { signal: this.#over.signal }).catch(() => undefined);
            if (this.#over.signal.aborted) return;
            next = Math.max(next + EVERY, performance.now());
            try {
                this.#times.push(await client.ping(gateway, { timeout: PING_TIMEOUT }));
            } catch (error) {
                if (!(error instanceof PosternError)) throw error;
                this.#unanswered += 1;
            }
        }
    }
}
