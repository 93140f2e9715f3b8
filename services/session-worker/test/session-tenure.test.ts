import assert from "node:assert/strict";
import { test } from "node:test";
import type { Counters, EndReason } from "@postern/contracts";
import { formatCidr, readRouterAdvertisement } from "@postern/ip";
import { decodeFrame, type Identification } from "@postern/ppp";
import { FakeClock } from "@postern/testkit";
import { NO_TRAFFIC } from "@postern/tun";
import type { Admission, SessionPorts } from "../src/session-ports.ts";
import type { SessionProtocols } from "../src/session-protocols.ts";
import { SessionTenure, type Inheritance } from "../src/session-tenure.ts";
import { SessionTimers } from "../src/session-timers.ts";
import { admission, facts, fakeWheel, transport } from "./doubles.ts";

const GUID = "6f7b2f0a-1111-4222-8333-944445555666";

interface Options {
    readonly correlationId?: string;
    readonly identification?: Identification;
    readonly peerMru?: number;
    readonly inherited?: Inheritance;
    readonly release?: () => void;
    /** Has IPv6: what the registry granted, whether packets pass, and whether the uplink carries them. */
    readonly ipv6?: NonNullable<Admission["addresses"]["ipv6"]>;
    readonly ipv6Open?: () => boolean;
    readonly carriesIpv6?: boolean;
}

function world(options: Options = {}) {
    const clock = new FakeClock();
    const wheel = fakeWheel(clock);
    const told: string[] = [];
    const started: Record<string, unknown>[] = [];
    const sent: Uint8Array[] = [];
    const ended: { reason: EndReason; counters: Counters; startedAt: Date }[] = [];
    const path = {
        counters: { ...NO_TRAFFIC },
        lease: (...leased: readonly unknown[]) => void told.push(`lease ${leased.filter(Boolean).join(" ")}`),
        release: () => {
            options.release?.();
            told.push("release");
        },
    };
    const protocols = {
        peerMru: options.peerMru ?? 4_091,
        get ipv6Open() {
            return options.ipv6Open?.() ?? false;
        },
        call: { snapshot: () => ({ state: "call-connected", bindingDone: true, certificateHash: "ab".repeat(32) }) },
        link: {
            serverInterfaceId: "0000000000000001",
            clientInterfaceId: "0000000000000002",
            identification: options.identification ?? {},
            snapshot: () => ({ version: 1, user: "alice", identification: {} }),
        },
    } as unknown as SessionProtocols; // all that a tenure asks of them
    const ports = {
        settings: { mtu: 1_400 },
        uplink: { carriesIpv6: options.carriesIpv6 ?? true },
        now: clock.now,
        wallClock: clock.now,
        random: () => 0,
        report: {
            started: (_facts, details) => void started.push(details),
            ended: (_facts, end) => {
                ended.push(end);
                told.push(`ended ${end.reason}`);
            },
            gaveUp: () => undefined,
            bindingFailed: () => undefined,
            storeSnapshot: (_facts, { identity }) => {
                told.push(`stored ${identity}`);
                return Promise.resolve(true);
            },
        } satisfies SessionPorts["report"],
    } as unknown as SessionPorts; // the part that a tenure uses
    const { correlationId, ipv6 } = options;
    const addresses = { ...admission().addresses, ...(ipv6 === undefined ? {} : { ipv6 }) };
    const tenure = new SessionTenure(
        facts({
            transport: transport(correlationId === undefined ? {} : { correlationId }),
            admission: admission({ idleTimeout: 60_000, addresses }),
        }),
        {
            timers: new SessionTimers(wheel, clock.now),
            protocols,
            path,
            egress: { sendData: (bytes) => sent.push(bytes) > 0 },
            expire: (reason) => told.push(`expired ${reason}`),
        },
        ports,
        options.inherited,
    );
    return { clock, tenure, told, started, ended, path, sent, protocols };
}

test("it begins with the lease and a route of the client's size, and ends with the fact and without the route", async () => {
    const { tenure, told, clock } = world({ peerMru: 1_280 });
    tenure.begin();
    tenure.onOpened();
    await clock.advanceAsync(200);
    tenure.end("client-disconnect");
    assert.deepEqual(told, ["lease 10.91.0.11 1280", "stored alice", "ended client-disconnect", "release"]);
    const large = world();
    large.tenure.begin();
    assert.equal(large.told[0], "lease 10.91.0.11 1400");
});

test("it starts once, however often its network opens again", () => {
    const { tenure, started, clock } = world({ identification: { version: "MSRASV5.20", computer: "PC" } });
    tenure.begin();
    assert.equal(tenure.startedAt, undefined);
    assert.equal(tenure.snapshot(), undefined);
    tenure.onOpened();
    const startedAt = tenure.startedAt;
    clock.advance(5_000);
    tenure.changed();
    tenure.onOpened();
    assert.deepEqual(tenure.startedAt, startedAt);
    assert.deepEqual(started, [
        { bindingHash: "sha256", clientInformation: ["MSRASV5.20", "PC"], correlationId: undefined },
    ]);
});

test("the correlation id is that of the HTTP request, else the one that LCP Identification brought", () => {
    const identification = { correlationId: GUID };
    const late = world({ identification });
    late.tenure.begin();
    late.tenure.onOpened();
    assert.equal(late.started[0]?.["correlationId"], GUID);
    assert.equal(late.tenure.snapshot()?.correlationId, GUID);
    const early = world({ identification, correlationId: "from-http" });
    early.tenure.begin();
    early.tenure.onOpened();
    assert.equal(early.started[0]?.["correlationId"], "from-http");
});

test("the end is told although the kernel does not let go of the route", () => {
    const { tenure, ended } = world({
        release: () => {
            throw new TypeError("netlink");
        },
    });
    tenure.begin();
    assert.throws(() => tenure.end("client-gone"), TypeError);
    assert.equal(ended.length, 1);
});

test("one that never began gives its address back and touches nobody's route", () => {
    const { tenure, told } = world();
    tenure.end("client-gone");
    assert.deepEqual(told, ["ended client-gone"]);
});

test("a session that comes from elsewhere keeps its start, its counters and its deadlines", () => {
    const startedAt = new Date("2025-12-31T23:00:00.000Z");
    const idle = new Date(Date.UTC(2026, 0, 1) + 10_000).toISOString();
    const inherited = { startedAt, counters: { ...NO_TRAFFIC, bytesIn: 100 }, deadlines: { "idle-timeout": idle } };
    const { tenure, told, started, ended, path, clock } = world({ inherited });
    tenure.begin();
    tenure.onOpened();
    path.counters.bytesIn = 7;
    clock.advance(10_100);
    assert.ok(told.includes("expired idle-timeout"));
    tenure.end("idle-timeout");
    assert.deepEqual(started, []);
    assert.deepEqual([ended[0]?.startedAt, ended[0]?.counters.bytesIn], [startedAt, 107]);
});

const IPV6 = { prefix: "fd91:0:0:5::/64", dns: ["fd91::53"] };

/** What a router advertisement of the tenure says. */
function advertised(framed: Uint8Array | undefined) {
    const packet = decodeFrame(framed?.subarray(4) ?? new Uint8Array(0)).payload;
    const { prefixes, mtu } = readRouterAdvertisement(packet) ?? assert.fail("no router advertisement");
    return [prefixes.map(({ prefix }) => formatCidr(prefix)), mtu];
}

test("with IPv6 the network is leased too, and the client is told of it when IPv6 opens, and again", () => {
    let isOpen = false;
    const { tenure, told, sent, protocols } = world({ ipv6: IPV6, ipv6Open: () => isOpen });
    assert.equal(protocols.hasIpv6Network, true);
    tenure.begin();
    tenure.onOpened();
    tenure.advertise();
    assert.deepEqual([told[0], sent.length], ["lease 10.91.0.11 1400 fd91:0:0:5::/64", 0]);
    isOpen = true;
    tenure.onOpened();
    tenure.onOpened();
    assert.equal(sent.length, 1);
    tenure.advertise();
    assert.deepEqual(sent.map(advertised), [
        [["fd91:0:0:5::/64"], 1_400],
        [["fd91:0:0:5::/64"], 1_400],
    ]);
    // It closes and opens again.
    isOpen = false;
    tenure.changed();
    isOpen = true;
    tenure.onOpened();
    assert.equal(sent.length, 3);
    assert.equal(tenure.onLinkPacket(new Uint8Array(3)), "malformed");
});

test("without a network, a carrying uplink, or a client that takes 1,280 octets there is no IPv6", () => {
    for (const options of [{}, { ipv6: IPV6, carriesIpv6: false }, { ipv6: IPV6, peerMru: 1_279 }]) {
        const { tenure, told, sent, protocols } = world({ ...options, ipv6Open: () => true });
        tenure.begin();
        tenure.onOpened();
        tenure.advertise();
        assert.equal(protocols.hasIpv6Network, false);
        assert.doesNotMatch(told[0] ?? "", /:/);
        assert.deepEqual([sent.length, tenure.onLinkPacket(new Uint8Array(40).fill(0x60))], [0, "not-routed"]);
    }
});
