// A TLS session that one worker began goes on at the other, and at a worker that has just started.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DialError, type SstpClient, type TlsSession } from "@postern/sstp-client";
import { waitForValue } from "@postern/testkit";
import { type EventWatch, Installation } from "./installation.ts";

const PORT = 14_447;
const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
/** Dials, each of which stays; the ingress gives a new one to the worker that has fewer. */
const DIALS = 4;

/** `session.started` of a client. */
async function startOf(events: EventWatch, client: SstpClient): Promise<{ worker: string; resumed: boolean }> {
    const { worker, tls } = await events.find("session.started", { address: client.address });
    return { worker: String(worker), resumed: (tls as { resumed: boolean }).resumed }; // as its contract says
}

/** `undefined` while there is no worker. */
async function dialled(dial: Promise<SstpClient>): Promise<SstpClient | undefined> {
    try {
        return await dial;
    } catch (error) {
        if (error instanceof DialError) return undefined;
        throw error;
    }
}

test("clients come back by their tickets, whichever worker they get, also after a worker was killed", async () => {
    await using postern = await Installation.start({
        port: PORT,
        configure: (yaml) => yaml.replace("session-registry:", "session-registry:\n  limits: { sessionsPerUser: 50 }"),
    });
    await using events = await postern.watchEvents();
    const tickets = new Map<string, TlsSession>();
    for (const maxVersion of VERSIONS) {
        const tls = { maxVersion };
        const given = Promise.withResolvers<TlsSession>();
        const first = await postern.dial({ tls, onTlsSession: given.resolve });
        const begun = await startOf(events, first);
        assert.equal(begun.resumed, false);
        const resumes = await given.promise;
        tickets.set(maxVersion, resumes);
        const workers = new Set<string>();
        for (let dial = 0; dial < DIALS; dial += 1) {
            const client = await postern.dial({ tls, resumes });
            assert.equal(client.isResumed, true);
            const { worker, resumed } = await startOf(events, client);
            assert.equal(resumed, true);
            workers.add(worker);
            await client.ping(client.gateway ?? "");
        }
        assert.ok([...workers].some((worker) => worker !== begun.worker));
    }
    for (const pid of postern.ready.pids["session-worker"] ?? []) process.kill(pid, "SIGKILL");
    for (const maxVersion of VERSIONS) {
        const resumes = tickets.get(maxVersion);
        assert.ok(resumes);
        const client = await waitForValue(() => dialled(postern.dial({ tls: { maxVersion }, resumes })), {
            within: 60_000,
            what: "a worker that takes connections again",
        });
        assert.equal(client.isResumed, true, `${maxVersion} at a worker that has just started`);
        await client.ping(client.gateway ?? "");
    }
    assert.doesNotMatch(postern.output, /tls\.tickets\.secret/);
});
