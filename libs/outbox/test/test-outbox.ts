// Outboxes and the facts that tests put into them.
import { adminAction, sessionEnded, type ReleaseQuestion } from "@postern/contracts";
import { KeptLog } from "@postern/testkit";
import type { Outbox, OutboxOptions } from "../src/index.ts";
import { everyInterval, openOutboxWith, type OutboxInternals } from "../src/open-outbox.ts";

export interface TestOutbox extends AsyncDisposable {
    readonly outbox: Outbox;
    readonly log: KeptLog;
}

export async function open(
    options: Pick<OutboxOptions, "directory" | "stream"> & Partial<OutboxOptions>,
    internals: OutboxInternals = {},
): Promise<TestOutbox> {
    const log = new KeptLog();
    const outbox = await openOutboxWith(
        {
            tenant: "main",
            service: "session-worker",
            instance: "w1",
            epoch: 1,
            maxBytes: 1024 * 1024,
            streamSyncInterval: 0,
            settle: async () => "won",
            log,
            ...options,
        },
        { everySecond: everyInterval(5), lockPatience: 0, ...internals },
    );
    return { outbox, log, [Symbol.asyncDispose]: () => outbox.close() };
}

/** Any durable fact; `detail` tells one from another. */
export const note = (outbox: Outbox, detail: string, about = "thing"): Promise<void> =>
    outbox.append(adminAction, about, { action: "test", target: about, by: "test", detail });

const counters = { bytesIn: 1, bytesOut: 2, packetsIn: 3, packetsOut: 4, droppedIn: 0, droppedOut: 0 };
const AT = "2026-01-01T00:00:00.000Z";

export const release = (session: string, exact = true): ReleaseQuestion => ({
    session,
    epoch: 1,
    by: "w1",
    reason: "client-disconnect",
    exact,
    at: AT,
    counters,
});

export const end = (outbox: Outbox, session: string, settle?: ReleaseQuestion): Promise<void> =>
    outbox.append(
        sessionEnded,
        session,
        {
            session,
            sessionEpoch: 1,
            worker: "w1",
            principal: "alice",
            address: "10.91.0.2",
            client: { address: "192.0.2.1", port: 1234 },
            reason: "client-disconnect",
            startedAt: AT,
            endedAt: AT,
            counters,
            exact: true,
        },
        settle,
    );
