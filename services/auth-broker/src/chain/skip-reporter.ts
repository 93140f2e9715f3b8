// Tells that a backend was passed over because it could not decide: the first time at once, then one sum in each window.
import { authBackendSkipped } from "@postern/contracts";
import type { Events } from "@postern/service";
import type { Logger } from "@postern/telemetry";
import type { AuthAttempt } from "../auth-backend.ts";
import type { Cancel, Clock } from "../clock.ts";
import type { Skip } from "./backend-chain.ts";

export interface SkipReporterPorts {
    readonly clock: Clock;
    /** Milliseconds over which repetitions are summed up. */
    readonly window: number;
    readonly events: Pick<Events, "append">;
    readonly log: Logger;
    readonly onSkipped: (backend: string) => void;
}

/** The skips of one backend in its window. */
interface Sum {
    readonly cancel: Cancel;
    count: number;
    firstAt: number;
    last: Skip;
}

export class SkipReporter {
    readonly #ports: SkipReporterPorts;
    /** One for each pair of backends of the configuration at most. */
    readonly #sums = new Map<string, Sum>();

    constructor(ports: SkipReporterPorts) {
        this.#ports = ports;
    }

    readonly add = (skip: Skip, { session, client }: Pick<AuthAttempt, "session" | "client">): void => {
        const { clock, window, log, onSkipped } = this.#ports;
        onSkipped(skip.backend);
        const key = `${skip.backend}\n${skip.next}`;
        const sum = this.#sums.get(key);
        const now = clock.now();
        if (sum === undefined) {
            log.warn({ ...skip, session, client }, "a backend could not decide: the next one is asked");
            const cancel = clock.after(window, () => void this.#flush(key));
            this.#sums.set(key, { cancel, count: 0, firstAt: now, last: skip });
            void this.#tell(skip, 1, now);
            return;
        }
        if (sum.count === 0) sum.firstAt = now;
        sum.count += 1;
        sum.last = skip;
    };

    /** Tells what is not told yet. */
    async stop(): Promise<void> {
        const open = [...this.#sums.keys()];
        await Promise.all(open.map((key) => this.#flush(key)));
    }

    async #flush(key: string): Promise<void> {
        const sum = this.#sums.get(key);
        if (sum === undefined) return;
        sum.cancel();
        this.#sums.delete(key);
        if (sum.count > 0) await this.#tell(sum.last, sum.count, sum.firstAt);
    }

    async #tell({ backend, next, detail }: Skip, count: number, firstAt: number): Promise<void> {
        const { events, log } = this.#ports;
        const data = { backend, next, detail: detail.slice(0, 300), count, firstAt: new Date(firstAt).toISOString() };
        try {
            await events.append(authBackendSkipped, backend, data);
        } catch (error) {
            log.error({ error, ...data }, "that a backend was passed over could not be recorded");
        }
    }
}
