// Clients that come and go ten thousand times, well-behaved and not: afterwards everything is as it was after the first thousand.
// LEAK_CYCLES: how many (default 10,000); LEAK_PARALLEL: how many at once (default 40).
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { BUCKETS, type BucketContract } from "@postern/contracts";
import { DialError } from "@postern/sstp-client";
import { createTemporaryDirectory, eventually } from "@postern/testkit";
import { Installation } from "../e2e/installation.ts";
import { footprintOf, type Footprint, type FootprintPorts, type ProcessFootprint } from "./footprint.ts";

const CYCLES = Number(process.env["LEAK_CYCLES"] ?? 10_000);
const PARALLEL = Number(process.env["LEAK_PARALLEL"] ?? 40);
const WARM_UP = Math.min(1_000, Math.floor(CYCLES / 4));
const SOURCES = 200;
/** Not a divisor or multiple of the kinds of cycles; logins of one user wait for each other. */
const USERS = 11;
/** Milliseconds after which the last trace of a client is to be gone: the longest of the times below, twice. */
const FORGOTTEN = 60_000;

/** Files, timers and handles that come and go: of requests to NATS and to the admin listener, of the store. */
const SPARE = 10;
/** MiB.  With 10,000 cycles over two processes, 0.7 KiB a cycle would be seen. */
const HEAP_GROWTH = 3;
const BUFFERS_GROWTH = 3;
/** The allocator keeps pages that it has had. */
const RESIDENT_GROWTH = 60;
/** NATS also holds the ids of ten minutes' events, the ends of its files, and for two minutes the way back of answers. */
const NATS_GROWTH = 200;

/** What a user leaves by design, and a source at each ingress: those of the clients, and this host that looks whether they answer. */
const KEPT: Readonly<Record<string, number>> = { "keys in users": USERS, postern_ingress_sources: 2 * (SOURCES + 1) };

/** What is kept for a while by design is kept for a short while here. */
const forgetful = (yaml: string): string =>
    yaml
        .replace(/^ {4}default: \{ (networks: .*) \}$/mu, "    default: { $1, hold: 5s }")
        .replace(
            /^session-registry:$/mu,
            "$&\n  limits: { sessionsPerUser: 200 }\n  reaper: { every: 1s, grace: 5s, keepEnded: 10s }",
        )
        .replace(
            /^auth-broker:$/mu,
            `$&
  timeout: 10s
  resultKept: 2s
  throttle: { user: { burst: 5000, perMinute: 100000 }, source: { burst: 5000, perMinute: 100000 } }
  failureDelay: { first: 50ms, max: 50ms }
  lockout: { failures: 0, window: 5s }
  ban: { failures: 0 }`,
        )
        .replace(/^ingress:$/mu, "$&\n  limits: { acceptRate: 1000, acceptBurst: 1000 }");

test(`${CYCLES} connections leave nothing behind`, async (t) => {
    await using sockets = await createTemporaryDirectory("inspection");
    const preload = new URL("inspection.ts", import.meta.url);
    await using postern = await Installation.start({
        port: 14_471,
        environment: { NODE_OPTIONS: `--import=${preload.href}`, POSTERN_INSPECTION: sockets.path },
        configure: forgetful,
    });
    const bus = await postern.connectBus("admin");
    try {
        const contracts = Object.values<BucketContract>(BUCKETS);
        const buckets = await Promise.all(contracts.map((contract) => bus.bucket(contract)));
        const users = await addUsers(postern);
        const ports = { postern, inspection: sockets.path, bus, buckets };
        const pids = JSON.stringify(postern.ready.pids);
        const empty = (await footprintOf(ports, { collect: false })).counts;

        const warmUp = await comeAndGo(postern, users, WARM_UP);
        const before = await settled(ports, empty);
        const rest = await comeAndGo(postern, users, CYCLES - WARM_UP);
        const after = await settled(ports, before.counts);
        report(t, [warmUp, rest], before, after);

        assert.equal(JSON.stringify(postern.ready.pids), pids, "no process ended meanwhile");
        assert.ok((rest.outcomes["session"] ?? 0) > (CYCLES - WARM_UP) * 0.4, "sessions were among them");
        for (const [name, now] of Object.entries(after.processes)) {
            const was = before.processes[name];
            assert.ok(was !== undefined);
            for (const kind of ["files", "timers", "handles"] as const) {
                assert.ok(now[kind] <= was[kind] + SPARE, `${kind} of ${name}: ${now[kind]}, before ${was[kind]}`);
            }
            grown(`heap of ${name}`, was.heap, now.heap, HEAP_GROWTH);
            grown(`buffers of ${name}`, was.buffers, now.buffers, BUFFERS_GROWTH);
            grown(
                `resident memory of ${name}`,
                mostResident(before, name),
                now.resident,
                name.startsWith("nats") ? NATS_GROWTH : RESIDENT_GROWTH,
            );
        }
    } finally {
        await bus.close();
    }
});

interface Wave {
    readonly seconds: number;
    /** How many cycles ended how. */
    readonly outcomes: Readonly<Record<string, number>>;
}

async function comeAndGo(postern: Installation, users: readonly Credentials[], cycles: number): Promise<Wave> {
    const outcomes: Record<string, number> = {};
    const start = performance.now();
    let begun = 0;
    const client = async (): Promise<void> => {
        while (begun < cycles) {
            begun += 1;
            const outcome = await cycle(postern, users[begun % users.length], begun);
            outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        }
    };
    await Promise.all(Array.from({ length: PARALLEL }, client));
    return { seconds: (performance.now() - start) / 1_000, outcomes };
}

interface Credentials {
    readonly user: string;
    readonly password: string;
}

async function addUsers(postern: Installation): Promise<Credentials[]> {
    const users = Array.from({ length: USERS }, (_, at) => ({ user: `guest-${at}`, password: randomUUID() }));
    for (const { user, password } of users) await postern.posternWithInput(`${password}\n`, "user", "add", user);
    return users;
}

/** One connection and its end; ten kinds in turn. */
async function cycle(postern: Installation, user: Credentials | undefined, index: number): Promise<string> {
    const localAddress = `127.3.0.${(index % SOURCES) + 1}`;
    const honest = { localAddress, ...user };
    switch (index % 10) {
        case 0:
            return abortTls(postern, localAddress);
        case 1:
            return abortHttp(postern, localAddress);
        case 2:
            return dial(postern, { ...honest, password: "wrong" }, "bye");
        // Wherever it happens to be: TLS, HTTP, LCP, login, IPCP.
        case 3:
        case 4:
            return dial(postern, { ...honest, timeout: 5 + Math.floor(Math.random() * 200) }, "bye");
        case 5:
        case 6:
            return dial(postern, honest, "reset");
        default:
            return dial(postern, { ...honest, client: index % 20 < 10 ? "windows" : "sstpc" }, "bye");
    }
}

async function dial(
    postern: Installation,
    options: NonNullable<Parameters<Installation["dial"]>[0]>,
    end: "bye" | "reset",
): Promise<string> {
    try {
        const client = await postern.dial({ method: "mschapv2", ...options });
        await client.ping(client.gateway ?? "");
        if (end === "bye") await client.disconnect();
        else client.destroy();
        await client.closed;
        return "session";
    } catch (error) {
        if (!(error instanceof DialError)) throw error;
        return `${error.step}: ${error.end.reason}`;
    }
}

/** The beginning of a TLS record, and no more. */
async function abortTls({ ready }: Installation, localAddress: string): Promise<string> {
    const socket = connect({ host: "127.0.0.1", port: ready.sstp.port, localAddress });
    await once(socket, "connect");
    socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]));
    await delay(Math.random() * 20);
    socket.resetAndDestroy();
    return "given up in TLS";
}

/** Half a request. */
async function abortHttp({ ready }: Installation, localAddress: string): Promise<string> {
    const tcp = connect({ host: "127.0.0.1", port: ready.sstp.port, localAddress });
    const socket = connectTls({ socket: tcp, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    socket.write("SSTP_DUPLEX_POST /sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/ HTTP/1.1\r\nHo");
    await delay(Math.random() * 20);
    tcp.destroy();
    return "given up in HTTP";
}

/** The footprint when nothing is left of those who were there; rejects when the time for that is up. */
async function settled(ports: FootprintPorts, before: Footprint["counts"]): Promise<Footprint> {
    await eventually(
        async () => {
            const { counts } = await footprintOf(ports, { collect: false });
            for (const [what, count] of Object.entries(counts)) {
                const allowed = KEPT[what] ?? before[what] ?? 0;
                assert.ok(count <= allowed, `${what}: ${count}, before ${allowed}`);
            }
        },
        { within: FORGOTTEN, every: 1_000, what: "the clients to be forgotten" },
    );
    return footprintOf(ports, { collect: true });
}

/** Of the instances of its service: within the warm-up one may not have met yet what the other has. */
function mostResident({ processes }: Footprint, name: string): number {
    const service = name.slice(0, name.lastIndexOf("-"));
    const instances = Object.entries(processes).filter(([other]) => other.startsWith(`${service}-`));
    return Math.max(...instances.map(([, { resident }]) => resident));
}

function grown(what: string, before: number | undefined, after: number | undefined, allowed: number): void {
    if (before === undefined || after === undefined) return;
    assert.ok(after - before <= allowed, `${what}: ${after.toFixed(1)} MiB after ${before.toFixed(1)} MiB`);
}

function report(t: TestContext, waves: readonly Wave[], before: Footprint, after: Footprint): void {
    for (const { seconds, outcomes } of waves) t.diagnostic(`${seconds.toFixed(0)} s: ${JSON.stringify(outcomes)}`);
    const shown = (name: string): string => {
        const of = ({ processes }: Footprint, kind: keyof ProcessFootprint): string => {
            const value = processes[name]?.[kind];
            return value === undefined ? "-" : value.toFixed(Number.isInteger(value) ? 0 : 1);
        };
        const kinds = ["files", "timers", "handles", "heap", "buffers", "resident"] as const;
        return kinds.map((kind) => `${kind} ${of(before, kind)} -> ${of(after, kind)}`).join(", ");
    };
    for (const name of Object.keys(after.processes)) t.diagnostic(`${name}: ${shown(name)}`);
    t.diagnostic(JSON.stringify(after.counts));
}
