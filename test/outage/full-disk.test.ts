// Disks that are full: under the outboxes, of services that run and of those that start, and under NATS; and an event stream that has
// reached its limit.  What is up goes on, what cannot be recorded is refused with a reason, and with room again everything that happened
// is told.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { eventually, mountSmallDisk, type SmallDisk } from "@postern/testkit";
import { readAuditAccount } from "../e2e/audit-account.ts";
import { Installation } from "../e2e/installation.ts";
import { limitEvents, UNLIMITED } from "./event-limit.ts";
import { addUser, Tunnels } from "./tunnels.ts";

const PORT = 14_491;
const MEBIBYTE = 2 ** 20;
/** Ten outboxes of a mebibyte, each with a quarter of that in reserve, and some room. */
const OUTBOX_DISK = 6 * MEBIBYTE;
const STORE_DISK = 24 * MEBIBYTE;
const BACK_WITHIN = 60_000;

let undo: AsyncDisposableStack;
let postern: Installation;
let tunnels: Tunnels;
let outboxDisk: SmallDisk;
let visitor: { user: string; password: string };

before(async () => {
    undo = new AsyncDisposableStack();
    outboxDisk = undo.use(await mountSmallDisk(OUTBOX_DISK));
    const configure = (yaml: string): string => {
        const outbox = `outbox:\n  directory: "${outboxDisk.path}/{service}/{instance}"\n  maxBytes: 1MiB\n`;
        const changed = yaml.replace(/^outbox:\n/m, outbox);
        assert.notEqual(changed, yaml);
        return changed;
    };
    postern = undo.use(await Installation.start({ port: PORT, configure }));
    tunnels = undo.use(await Tunnels.open(postern, ["ann", "bob"]));
    visitor = await addUser(postern, "vic");
});

after(() => undo.disposeAsync());

/** By a worker, or by an ingress that has heard of every worker that it takes nobody. */
const refused = (): Promise<void> => assert.rejects(postern.dial({ ...visitor, timeout: 20_000 }), /auth|http|tls/);

async function comeAndGo(): Promise<void> {
    const tunnel = await postern.dial(visitor);
    await tunnel.ping(postern.ready.gateway);
    await tunnel.disconnect();
}

const waiting = (service: "session-worker" | "auth-broker" = "session-worker"): Promise<number> =>
    postern.metric(service, `postern_${service.replace("-", "_")}_outbox_waiting_events`);

/** Everybody who came is recorded to have come, and everybody who went to have gone, once. */
async function assertRecorded(): Promise<void> {
    const live = new Set((await tunnels.assertListed(BACK_WITHIN)).map(({ session }) => session));
    await eventually(
        () => {
            const { sessions, doubled } = readAuditAccount(path.join(postern.state, "audit"));
            assert.deepEqual(doubled, []);
            for (const { session, started, ends } of sessions) {
                const reasons = ends.map(({ reason }) => reason);
                const expected = live.has(session) ? [] : ["client-disconnect"];
                assert.deepEqual({ started, reasons }, { started: 1, reasons: expected }, session);
            }
            assert.ok([...live].every((session) => sessions.some((one) => one.session === session)));
        },
        { within: BACK_WITHIN, every: 200, what: "the audit log to have everything" },
    );
}

test("outboxes on a full disk: sessions go on, ends are kept, new sessions are refused with a reason; with room all goes on", async () => {
    await outboxDisk.fill();
    for (const worker of ["worker-1", "worker-2"]) {
        const line = new RegExp(`${worker} .*the disk of the outbox is full`);
        await eventually(() => assert.match(postern.output, line), { within: 20_000 });
    }
    await refused();
    await tunnels.hangUp();
    await tunnels.assertUnharmed();
    await refused();
    await outboxDisk.free();
    await eventually(comeAndGo, { within: BACK_WITHIN, every: 500 });
    assert.match(postern.output, /the disk of the outbox has room again/);
    await assertRecorded();
    await tunnels.assertUnharmed();
});

test("services that start on a full disk: they say so and are not ready; with room they are, without another start", async () => {
    await outboxDisk.fill();
    const before = brokerPids();
    const said = postern.output.length;
    for (const pid of before) process.kill(pid, "SIGKILL");
    await eventually(
        async () => {
            const answers = await askBrokers("readyz");
            assert.deepEqual(
                answers.map(({ status }) => status),
                [503, 503],
            );
            for (const { text } of answers) assert.match(text, /the outbox is full: no login can be recorded/);
        },
        { within: BACK_WITHIN, every: 200, what: "both brokers to say why they are not ready" },
    );
    const started = brokerPids();
    assert.ok(started.every((pid) => !before.includes(pid)));
    for (const broker of ["broker-1", "broker-2"])
        assert.match(postern.output.slice(said), new RegExp(`${broker} .*the disk of the outbox is full`));
    await refused();
    await tunnels.assertUnharmed();
    await outboxDisk.free();
    await eventually(async () => assert.ok((await askBrokers("readyz")).every(({ status }) => status === 200)), {
        within: BACK_WITHIN,
        every: 200,
        what: "both brokers to be ready",
    });
    assert.deepEqual(brokerPids(), started);
    await eventually(comeAndGo, { within: BACK_WITHIN, every: 500 });
    await assertRecorded();
    await tunnels.assertUnharmed();
});

test("an event stream that is full: outboxes hold, it is said, and nothing is lost", async () => {
    await limitEvents(postern, 1);
    await comeAndGo();
    await tunnels.hangUp();
    await eventually(async () => assert.ok((await waiting()) >= 3), { within: 20_000 });
    await eventually(() => assert.match(postern.output, /events cannot be published; they are kept.*maximum bytes/), {
        within: 20_000,
    });
    await comeAndGo();
    await tunnels.assertUnharmed();
    await limitEvents(postern, UNLIMITED);
    await assertRecorded();
    // Each lane tries again when its own patience is over, also those that are about nobody who came or went.
    await eventually(async () => assert.equal(await waiting(), 0), { within: BACK_WITHIN, every: 200 });
});

test("NATS on a full disk: outboxes hold, it is said, and after room and a restart of NATS nothing is lost", async () => {
    const store = path.join(postern.state, "nats", "jetstream");
    const pid = natsPid();
    // A disk cannot be put under a running server.
    process.kill(pid, "SIGSTOP");
    await using disk = await mountSmallDisk(STORE_DISK, store);
    process.kill(pid, "SIGKILL");
    await eventually(() => assert.notEqual(natsPid(), pid), { within: 20_000 });
    await eventually(comeAndGo, { within: BACK_WITHIN, every: 500 });

    await disk.fill();
    await tunnels.hangUp();
    // The last page of a file may have room for an event or two: who is refused makes more.
    let attempts = 0;
    await eventually(
        async () => {
            attempts += 1;
            const stranger = { user: "nobody", password: "wrong", localAddress: `127.0.7.${attempts}` };
            await assert.rejects(postern.dial(stranger), /auth|http/);
            assert.ok((await waiting()) + (await waiting("auth-broker")) > 0);
        },
        { within: 60_000 },
    );
    await eventually(() => assert.match(postern.output, /no space left|JetStream.*(resources|DISABLED)/i), {
        within: 30_000,
    });
    await tunnels.assertUnharmed();
    await disk.free();
    process.kill(natsPid(), "SIGTERM");
    await eventually(comeAndGo, { within: BACK_WITHIN, every: 500 });
    await assertRecorded();
    await tunnels.assertUnharmed();
    // Its disk goes with this test.
    await tunnels[Symbol.asyncDispose]();
    await postern.stop();
});

const brokerPids = (): readonly number[] => postern.ready.pids["auth-broker"] ?? [];

const askBrokers = (page: string): Promise<{ status: number; text: string }[]> =>
    Promise.all(
        (postern.ready.admin["auth-broker"] ?? []).map(async (url) => {
            const answer = await fetch(`${url}/${page}`);
            return { status: answer.status, text: await answer.text() };
        }),
    );

function natsPid(): number {
    const [pid] = postern.ready.pids["nats"] ?? [];
    assert.ok(pid !== undefined);
    return pid;
}
