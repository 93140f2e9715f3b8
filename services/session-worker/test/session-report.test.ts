import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "@postern/bus";
import { type PathFigures, subjectsOf, type SessionSnapshot } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { createMetrics } from "@postern/telemetry";
import { KeptLog } from "@postern/testkit";
import { NO_TRAFFIC } from "@postern/tun";
import { createSessionMetrics } from "../src/session-metrics.ts";
import { SessionReport } from "../src/session-report.ts";
import { admission, facts, RecordedEvents, rememberingLines, transport } from "./doubles.ts";

const SNAPSHOT: SessionSnapshot = {
    version: 1,
    certificateHash: "00",
    bound: true,
    identity: "alice",
    sstp: {},
    ppp: {},
    deadlines: {},
};

function world(outcome: "stored" | "fenced" | "unknown" | Error = "stored") {
    const events = new RecordedEvents();
    const log = new KeptLog();
    const lines = rememberingLines();
    const metrics = createMetrics({ service: "session-worker", instance: "w1", processMetrics: false });
    const ends: string[] = [];
    const paths = new Map<string, PathFigures>();
    const bus: Pick<Bus, "ask" | "subjects"> = {
        subjects: subjectsOf("main"),
        async ask(_subject, contract, question) {
            contract.question.parse(question);
            if (outcome instanceof Error) throw outcome;
            return { outcome } as never; // what the contract says
        },
    };
    const report = new SessionReport({
        bus,
        events,
        log,
        lines,
        now: () => 0,
        metrics: createSessionMetrics(metrics),
        worker: "w1",
        offeredHashes: ["sha1", "sha256"],
        path: (session) => paths.get(session),
        end: (session, epoch, reason) => void ends.push(`${session} ${epoch} ${reason}`),
    });
    return { report, events, log, lines, metrics, ends, paths };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const STEPS = new Map([
    ["accepted", 1_000],
    ["tls", 1_010.04],
    ["ipv4", 1_060],
]);

test("a start names the session, how it came about and how long each step took", async () => {
    const { report, events, metrics } = world();
    report.started(facts({ transport: transport({ steps: STEPS }) }), {
        bindingHash: "sha1",
        clientInformation: ["MSRASV5.20", "x".repeat(500)],
        correlationId: "6f7b2f0a-1111-4222-8333-944445555666",
    });
    assert.partialDeepStrictEqual(events.named("session.started")[0], {
        session: "0123456789abcdef",
        sessionEpoch: 1,
        worker: "w1",
        principal: "alice",
        address: "10.91.0.11",
        bindingHash: "sha1",
        clientInformation: ["MSRASV5.20", "x".repeat(200)],
        correlationId: "6f7b2f0a-1111-4222-8333-944445555666",
        setupMilliseconds: { tls: 10, ipv4: 60 },
    });
    const text = await metrics.expose();
    assert.match(text, /sessions_started_total\{instance="w1"\} 1/);
    assert.match(text, /session_setup_seconds_bucket\{le="0\.05",instance="w1",step="ipv4"\} 0/);
    assert.match(text, /session_setup_seconds_bucket\{le="0\.1",instance="w1",step="ipv4"\} 1/);
});

test("a start names the IPv6 network of a session that has one", () => {
    const { report, events } = world();
    const addresses = { ...admission().addresses, ipv6: { prefix: "fd91:0:0:5::/64", dns: [] } };
    const details = { bindingHash: "sha256", clientInformation: [], correlationId: undefined } as const;
    report.started(facts(), details);
    report.started(facts({ admission: admission({ addresses }) }), details);
    assert.deepEqual(
        events.named("session.started").map((started) => started["ipv6Prefix"]),
        [undefined, "fd91:0:0:5::/64"],
    );
});

test("a session whose beginning cannot be recorded is ended", async () => {
    const { report, events, ends } = world();
    events.full = new DependencyError("OUTBOX_FULL", "no room");
    const details = { bindingHash: "sha256", clientInformation: [], correlationId: undefined } as const;
    report.started(facts({ admission: admission({ epoch: 3 }) }), details);
    await settled();
    assert.deepEqual(ends, ["0123456789abcdef 3 internal-error"]);
});

test("an end has the path to the client where the worker knows it", () => {
    const { report, events, log, paths } = world();
    const end = { reason: "idle-timeout", startedAt: new Date(0), counters: NO_TRAFFIC } as const;
    report.ended(facts(), end);
    paths.set(facts().session, { rtt: 31.25, retransmits: 4 });
    report.ended(facts(), end);
    const [without, direct] = events.named("session.ended");
    assert.equal("path" in (without ?? {}), false);
    assert.partialDeepStrictEqual(direct, { path: { rtt: 31.25, retransmits: 4 } });
    assert.ok(log.find(/session ended/));
});

test("an end is settled with the registry under the session's epoch, with the same time and counters", () => {
    const { report, events } = world();
    const counters = { ...NO_TRAFFIC, bytesIn: 5 };
    const owned = facts({ admission: admission({ epoch: 3 }) });
    report.ended(owned, { reason: "idle-timeout", startedAt: new Date(0), counters });
    const [told] = events.told;
    assert.ok(told);
    assert.partialDeepStrictEqual(told.data, {
        sessionEpoch: 3,
        reason: "idle-timeout",
        startedAt: "1970-01-01T00:00:00.000Z",
        counters,
        exact: true,
    });
    assert.deepEqual(told.settle, {
        session: "0123456789abcdef",
        epoch: 3,
        by: "w1",
        reason: "idle-timeout",
        exact: true,
        at: told.data["endedAt"],
        counters,
        admittedAt: new Date(owned.admission.admittedAt).toISOString(),
    });
});

test("a refused binding and a client that did not get in are counted under their reasons", async () => {
    const { report, events, metrics } = world();
    report.bindingFailed("0123456789abcdef", transport(), {
        identity: "a".repeat(300),
        reason: "compound-mac",
        admitted: true,
    });
    report.gaveUp("0123456789abcdef", transport(), { reason: "lcp-timeout", detail: "" });
    assert.partialDeepStrictEqual(events.named("binding.failed")[0], {
        reason: "compound-mac",
        identity: "a".repeat(256),
        offeredHashes: ["sha1", "sha256"],
    });
    const text = await metrics.expose();
    assert.match(text, /binding_failures_total\{reason="compound-mac",instance="w1"\} 1/);
    assert.match(text, /sessions_not_admitted_total\{reason="lcp-timeout",instance="w1"\} 1/);
});

test("bindings of strangers are a few events however many there are; a verified user's is always one", async () => {
    const { report, events, lines, metrics } = world();
    const fail = (admitted: boolean): void =>
        report.bindingFailed("0123456789abcdef", transport(), { identity: "alice", reason: "nonce", admitted });
    for (let times = 0; times < 1_000; times += 1) fail(false);
    assert.equal(events.named("binding.failed").length, 100);
    for (let times = 0; times < 10; times += 1) fail(true);
    assert.equal(events.named("binding.failed").length, 110);
    assert.equal(lines.added.length, 1_010);
    assert.match(await metrics.expose(), /binding_failures_total\{reason="nonce",instance="w1"\} 1010/);
});

test("a stored snapshot is done with; one that was not is to be tried again", async () => {
    const owned = facts({ admission: admission({ epoch: 3 }) });
    for (const [outcome, done, ended] of [
        ["stored", true, []],
        ["unknown", true, []],
        ["fenced", true, ["0123456789abcdef 3 fenced"]],
        [new DependencyError("BUS_TIMEOUT", "late"), false, []],
        [new TypeError("a defect"), true, []],
    ] as const) {
        const { report, ends } = world(outcome);
        assert.equal(await report.storeSnapshot(owned, SNAPSHOT, NO_TRAFFIC), done);
        assert.deepEqual(ends, ended);
    }
});

test("an update carries counters and is not kept", () => {
    const { report, events } = world();
    report.updated(facts(), { ...NO_TRAFFIC, packetsOut: 9 });
    assert.partialDeepStrictEqual(events.named("session.updated")[0], {
        address: "10.91.0.11",
        counters: { packetsOut: 9 },
    });
});
