// NATS is away for a while, hangs, and comes back without its store, under an installation with sessions.  Design part 4: "Bus
// gone: sessions that are up keep moving packets; new ones are refused with a reason; nothing crashes; on return everything
// reconciles by itself."
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "@postern/testkit";
import { readAuditAccount } from "../e2e/audit-account.ts";
import { Installation } from "../e2e/installation.ts";
import { addUser, quickToJudge, Tunnels } from "./tunnels.ts";

const PORT = 14_471;
const SHORT = 20_000;
/** Longer than a worker's record lives, than `worker.lostAfter` (of this test) and than `ingress.lostAfter`. */
const LONG = 24_000;
/** Longer than `worker.lostAfter` with a connection. */
const WITHOUT_BUCKETS = 8_000;
/** That stay for all tests, or come and go in the last one. */
const CLIENTS = 4 + 3;
const BUCKETS = ["sessions", "leases", "users", "workers", "fleet", "bans", "accounts", "auth-state"];
/** Said of workers and sessions that nothing had happened to. */
const WRONG_DEDUCTIONS = ["worker.suspect", "worker.lost"];

let postern: Installation;
let tunnels: Tunnels;
let services: Readonly<Record<string, readonly number[]>>;

before(async () => {
    postern = await Installation.start({ port: PORT, configure: quickToJudge });
    tunnels = await Tunnels.open(postern, ["ann", "bob"]);
    services = servicePids();
});

after(async () => {
    await tunnels[Symbol.asyncDispose]();
    await postern[Symbol.asyncDispose]();
});

function servicePids(): Readonly<Record<string, readonly number[]>> {
    const { nats: _, ...pids } = postern.ready.pids;
    return pids;
}

function natsPid(): number {
    const [pid] = postern.ready.pids["nats"] ?? [];
    assert.ok(pid !== undefined);
    return pid;
}

const audit = (): ReturnType<typeof readAuditAccount> => readAuditAccount(path.join(postern.state, "audit"));

const newcomer = async (user: string): Promise<void> => {
    const tunnel = await postern.dial(await addUser(postern, user));
    assert.ok(!tunnels.addresses.includes(tunnel.address ?? ""));
    await tunnel.ping(postern.ready.gateway);
    await tunnel.disconnect();
};

/** What must be so after any outage of the bus. */
async function assertNothingHappened(): Promise<void> {
    await tunnels.assertListed(30_000);
    assert.deepEqual(servicePids(), services, "no service has ended");
    const { types, doubled } = audit();
    assert.deepEqual(doubled, []);
    for (const wrong of WRONG_DEDUCTIONS) assert.equal(types.get(wrong), undefined, wrong);
    await tunnels.assertUnharmed();
}

/** Everybody who came is recorded, and `gone` of them to have gone: what the stream has acknowledged would be lost with its store. */
async function assertRecorded(gone: number): Promise<void> {
    await eventually(
        () => {
            const { sessions } = audit();
            assert.equal(sessions.length, tunnels.addresses.length + gone);
            assert.ok(sessions.every(({ started }) => started === 1));
            assert.equal(sessions.filter(({ ends }) => ends.length === 1).length, gone);
        },
        { within: 20_000, every: 100, what: "the audit log to have everybody" },
    );
}

async function assertRefused(): Promise<void> {
    await assert.rejects(postern.dial({ timeout: 60_000 }), /auth|http|call/);
}

test("NATS refuses connections for 20 s: sessions go on, new ones are refused with a reason", async () => {
    // A launcher that stands still starts nobody again.
    postern.launcher.kill("SIGSTOP");
    process.kill(natsPid(), "SIGKILL");
    await Promise.all([delay(SHORT), assertRefused()]);
    await tunnels.assertUnharmed();
    postern.launcher.kill("SIGCONT");
    await assertNothingHappened();
    await newcomer("dan");
    assert.match(postern.output, /no broker decided about a login|NATS does not/);
});

test("NATS hangs for longer than any patience: the same", async () => {
    const pid = natsPid();
    process.kill(pid, "SIGSTOP");
    await Promise.all([delay(LONG), assertRefused()]);
    await tunnels.assertUnharmed();
    process.kill(pid, "SIGCONT");
    await assertNothingHappened();
    await newcomer("eve");
});

test("NATS comes back with an empty store: what is missing is said, nothing is concluded, and `bus apply` mends it", async () => {
    await assertRecorded(["dan", "eve"].length);
    const pid = natsPid();
    process.kill(pid, "SIGSTOP");
    await rm(path.join(postern.state, "nats", "jetstream"), { recursive: true });
    process.kill(pid, "SIGKILL");
    await eventually(() => assert.notEqual(natsPid(), pid), { within: 15_000 });
    await Promise.all([delay(WITHOUT_BUCKETS), assertRefused()]);
    for (const bucket of BUCKETS) assert.match(postern.output, new RegExp(`bucket ${bucket} is gone; run`));
    // A dial that an ingress or a worker refuses makes no event; one that a broker has to decide about does.
    await eventually(
        async () => {
            await assertRefused();
            assert.match(postern.output, /events cannot be published.*bus apply/s);
        },
        { within: 60_000, what: "an event that finds no stream" },
    );
    assert.match(postern.output, /events cannot be consumed/);
    // Its end can neither be settled nor published now.
    const leaver = await tunnels.hangUp();
    await tunnels.assertUnharmed();

    await postern.postern("bus", "apply");
    const rows = await tunnels.assertListed(15_000);
    assert.ok(!rows.some(({ address }) => address === leaver));
    // Local users went with the store; whoever dials first must not get the address of one who is connected.
    await Promise.all(["fay", "gus", "hal"].map(newcomer));
    await assertNothingHappened();
    assert.match(postern.output, /workers have confirmed their sessions/);

    await tunnels[Symbol.asyncDispose]();
    await eventually(
        () => {
            const { sessions, doubled } = audit();
            assert.ok(sessions.length >= CLIENTS);
            for (const { session, started, ends } of sessions) {
                const reasons = ends.map(({ reason }) => reason);
                assert.deepEqual({ started, reasons }, { started: 1, reasons: ["client-disconnect"] }, session);
            }
            assert.deepEqual(doubled, []);
        },
        { within: 20_000, every: 200 },
    );
    assert.match(await postern.postern("audit", "verify"), /intact/);
});
