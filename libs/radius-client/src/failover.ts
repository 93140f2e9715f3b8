// One request to servers in turn: the next one is asked when one is overdue or fails, and the first reply of any is the answer.
// Who is overdue is listened to further: it may be slow, and the next one dead.
import type { ExchangeOutcome, RadiusReply } from "./exchange.ts";

export interface FailoverServer {
    readonly name: string;
}

export interface FailoverPorts<Server extends FailoverServer> {
    /** Never rejects; ends when `signal` is aborted. */
    readonly ask: (server: Server, signal: AbortSignal, onOverdue: () => void) => Promise<ExchangeOutcome>;
    /** Aborted when the time of the request is over, or nobody waits any more. */
    readonly signal: AbortSignal;
}

/** The reply, or one line that says what became of the request at each server. */
export async function firstReply<Server extends FailoverServer>(
    servers: readonly Server[],
    { ask, signal }: FailoverPorts<Server>,
): Promise<RadiusReply | string> {
    const { promise, resolve } = Promise.withResolvers<RadiusReply | string>();
    const end = new AbortController();
    const fates = new Map<Server, string>();
    const finish = (result: RadiusReply | string): void => {
        resolve(result);
        end.abort();
    };
    const summary = (): string => [...fates].map(([{ name }, fate]) => `${name} ${fate}`).join("; ");
    const onAbort = (): void => finish(summary());
    const left = [...servers];
    let running = 0;
    const next = (): void => {
        const server = left.shift();
        if (server !== undefined && !end.signal.aborted) void begin(server);
        else if (running === 0) finish(summary());
    };
    const begin = async (server: Server): Promise<void> => {
        let movedOn = false;
        const moveOn = (): void => {
            if (!movedOn) next();
            movedOn = true;
        };
        running += 1;
        fates.set(server, "did not answer");
        const outcome = await ask(server, end.signal, moveOn);
        running -= 1;
        if (outcome.kind === "reply") return finish(outcome.reply);
        if (outcome.kind === "unreachable") fates.set(server, `cannot be reached (${outcome.error.message})`);
        if (outcome.kind === "full") fates.set(server, "has as many requests waiting as may");
        moveOn();
        if (running === 0 && left.length === 0) finish(summary());
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else next();
    try {
        return await promise;
    } finally {
        signal.removeEventListener("abort", onAbort);
    }
}
