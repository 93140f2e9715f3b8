// Whole links against one another, in memory.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { toHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import {
    type AuthenticationMethod,
    CLIENT_PROFILES,
    type ClientProfileName,
    decodeFrame,
    encodeFrame,
    type LinkSnapshot,
    ntPasswordHash,
    PppLink,
    PROTOCOL,
    verifyMschapv2,
} from "@postern/ppp";
import { DIGESTS } from "./support/digests.ts";
import { packet, RawPeer } from "./support/raw-peer.ts";
import { NETWORK, PASSWORD, World } from "./support/world.ts";

const PROFILES = Object.keys(CLIENT_PROFILES) as ClientProfileName[]; // `Object.keys` widens
const HAS_IPV6: Readonly<Record<ClientProfileName, boolean>> = {
    windows: true,
    sstpc: true,
    openSstp: true,
    routerOs: false,
};

/** What our server may never send: some clients end the session at it. */
function assertHarmless(world: World): void {
    for (const { from, frame } of world.frames) {
        if (from !== "server") continue;
        assert.equal(toHex(frame.subarray(0, 2)), "ff03");
        const { protocol, payload } = decodeFrame(frame);
        if (protocol === PROTOCOL.lcp) assert.ok((payload[0] ?? 0) < 12, toHex(frame));
    }
}

for (const name of PROFILES) {
    const profile = CLIENT_PROFILES[name];
    describe(`a client like ${name}`, () => {
        for (const method of ["mschapv2", "pap"] as const) {
            test(`connects with ${method}`, () => {
                const world = new World({ server: { authentication: [method] }, client: { profile } }).start();
                assert.deepEqual(world.closed, {});
                assert.deepEqual([world.server.phase, world.client.phase], ["network", "network"]);
                assert.equal(world.server.method, method);
                assert.equal(world.server.user, "User");
                assert.equal(world.attempts.length, 1);
                const { ipv4 } = world.client;
                assert.equal(ipv4?.address, NETWORK.ipv4?.clientAddress);
                assert.equal(ipv4?.serverAddress, NETWORK.ipv4?.serverAddress);
                assert.deepEqual(ipv4?.dns, NETWORK.ipv4?.dns.slice(0, name === "openSstp" ? 1 : 2));
                assert.deepEqual([world.server.ipv4Open, world.server.ipv6Open], [true, HAS_IPV6[name]]);
                assert.equal(world.client.ipv6?.interfaceId, world.server.clientInterfaceId);
                assert.equal(world.server.peerMru, profile.lcp.mru ?? 1500);
                assert.deepEqual(world.time.running, [], "an open link needs no timer");
                assert.deepEqual(world.server.discarded, { malformed: 0, phase: 0, unexpected: 0 });
                assertHarmless(world);
            });
        }

        test("and the server have the same key for the crypto binding, zero with PAP", () => {
            const keyed = new World({ client: { profile } }).start();
            const [attempt] = keyed.attempts;
            assert.ok(attempt?.method === "mschapv2");
            const verdict = verifyMschapv2(DIGESTS, ntPasswordHash(PASSWORD), attempt);
            assert.deepEqual(keyed.hlak, verdict?.hlak);
            const keyless = new World({ server: { authentication: ["pap"] }, client: { profile } }).start();
            assert.deepEqual(keyless.hlak, new Uint8Array(32));
        });

        test("is turned away with a wrong password, and both ends know why", () => {
            const world = new World({ client: { profile, password: "wrong" } }).start().run(10_000);
            assert.equal(world.closed.server?.reason, "authentication-failed");
            assert.equal(world.closed.client?.reason, "authentication-failed");
            assert.ok(!world.log.some((entry) => entry.includes("opened")));
            assert.deepEqual(world.time.running, []);
        });

        test("hangs up", () => {
            const world = new World({ client: { profile } }).start();
            world.client.terminate("user");
            world.settle().run(10_000);
            assert.deepEqual(world.closed.client, { reason: "terminated-locally", detail: "user" });
            assert.equal(world.closed.server?.reason, "terminated-by-peer");
            assert.equal(world.server.ipv4Open, false);
            assert.deepEqual(world.time.running, []);
        });

        test("is disconnected by the server", () => {
            const world = new World({ client: { profile } }).start();
            world.server.terminate("idle");
            world.settle().run(10_000);
            assert.deepEqual(world.closed.server, { reason: "terminated-locally", detail: "idle" });
            assert.equal(world.closed.client?.reason, "terminated-by-peer");
            assert.deepEqual(world.time.running, []);
        });

        test("waits for a decision as long as it ever does", () => {
            const world = new World({ client: { profile }, decide: () => undefined }).start();
            const patience = Math.min(profile.authenticationTimeoutMs, 45_000);
            world.run(patience - 1);
            assert.equal(world.attempts.length, 1, "repetitions are no second attempt");
            const [attempt] = world.attempts;
            assert.ok(attempt?.method === "mschapv2");
            const verdict = verifyMschapv2(DIGESTS, ntPasswordHash(PASSWORD), attempt);
            world.answer({ outcome: "success", message: verdict?.message ?? "" });
            world.settle();
            assert.equal(world.server.ipv4Open, true);
        });
    });
}

test("the method is the client's wish within what policy allows, in every combination", () => {
    const lists: readonly (readonly AuthenticationMethod[])[] = [
        ["pap"],
        ["mschapv2"],
        ["pap", "mschapv2"],
        ["mschapv2", "pap"],
    ];
    for (const authentication of lists) {
        for (const known of lists) {
            const profile = { ...CLIENT_PROFILES.windows, authentication: known };
            const world = new World({ server: { authentication }, client: { profile } }).start().run(10_000);
            const common = authentication.filter((method) => known.includes(method));
            if (common.length === 0) {
                assert.equal(world.closed.server?.reason, "authentication-not-agreed");
                assert.match(world.closed.server.detail, new RegExp(`client wants ${known.join("|")}`));
            } else {
                assert.equal(world.server.method, common[0]);
            }
        }
    }
});

test("Windows introduces itself", () => {
    const correlationId = "12345678-9abc-def0-1122-334455667788";
    const world = new World({ client: { computer: "DESKTOP", correlationId } }).start();
    const expected = { version: "MSRASV5.20", computer: "DESKTOP", correlationId };
    assert.deepEqual(world.server.identification, expected);
});

test("a client that starts LCP over before it has authenticated itself still gets in", () => {
    let heldBack = true;
    const world = new World({
        fate: (side) => (side === "server" && heldBack && world.server.phase === "authenticate" ? [] : [0]),
    });
    world.start();
    assert.equal(world.server.phase, "authenticate");
    world.inject("server", encodeFrame(PROTOCOL.lcp, Uint8Array.of(1, 0x90, 0, 4)));
    heldBack = false;
    world.run(20_000);
    assert.equal(world.server.ipv4Open, true);
});

describe("the shell", () => {
    test("has to be given a method, and is started once", () => {
        assert.throws(() => new World({ server: { authentication: [] } }), InvariantError);
        assert.throws(() => new World().start().start(), InvariantError);
    });

    test("is silent once the connection is gone", () => {
        const world = new World().start();
        world.server.down();
        const { length } = world.frames;
        world.inject("server", encodeFrame(PROTOCOL.lcp, Uint8Array.of(9, 1, 0, 8, 0, 0, 0, 0)));
        world.server.terminate("late");
        world.server.onTimer("lcp");
        assert.equal(world.frames.length, length);
        assert.deepEqual(world.closed, {});
        assert.deepEqual([world.server.phase, world.server.snapshot()], ["dead", undefined]);
    });

    test("reports nothing more when a report makes its owner drop it", () => {
        const peer = new RawPeer({}, new World().start().server.snapshot());
        peer.reaction = () => peer.link.down();
        peer.link.terminate("drain");
        assert.deepEqual(peer.log, ["lost ipv4"], "IPv6 was lost as well");
        assert.deepEqual(peer.time.running, []);
    });

    test("may be ended from inside a report", () => {
        const peer = new RawPeer({}, new World().start().server.snapshot());
        peer.reaction = (entry) => {
            if (entry === "lost ipv6") peer.link.terminate("no IPv6, no session");
        };
        peer.say("ipv6cp", packet(5, 9));
        assert.deepEqual(peer.log, ["lost ipv6", "lost ipv4"]);
        peer.say("lcp", packet(6, 2));
        assert.equal(peer.ended()?.detail, "no IPv6, no session");
    });

    test("ends before it has begun", () => {
        const world = new World();
        world.server.terminate("never mind");
        assert.deepEqual(world.closed.server, { reason: "terminated-locally", detail: "never mind" });
    });

    test("reports the end once, whatever comes after", () => {
        const world = new World().start();
        world.server.terminate("a");
        world.server.terminate("b");
        world.settle().run(10_000);
        world.server.terminate("c");
        assert.equal(world.log.filter((entry) => entry.startsWith("server closed")).length, 1);
        assert.equal(world.closed.server?.detail, "a");
    });

    test("ignores a network for a link that is ending", () => {
        const world = new World({ decide: () => undefined }).start();
        world.server.terminate("drain");
        world.server.configureNetwork(NETWORK);
        world.settle().run(10_000);
        assert.equal(world.closed.server?.detail, "drain");
    });
});

describe("a snapshot", () => {
    const transferred = (snapshot: LinkSnapshot | undefined): LinkSnapshot => {
        assert.ok(snapshot !== undefined);
        return JSON.parse(JSON.stringify(snapshot)) as LinkSnapshot; // what it says is compared below
    };

    test("is JSON without secrets, and there is none before the network is configured", () => {
        const world = new World({ client: { computer: "DESKTOP" } });
        assert.equal(world.server.snapshot(), undefined);
        world.start();
        const snapshot = world.server.snapshot();
        assert.deepEqual(transferred(snapshot), snapshot);
        assert.equal(snapshot?.user, "User");
        assert.deepEqual(snapshot.network, NETWORK);
        assert.deepEqual(snapshot.ipcp, { opened: true, nextIdentifier: 2 });
        assert.ok(!JSON.stringify(snapshot).includes(PASSWORD));
        assert.ok(!JSON.stringify(snapshot).includes(toHex(world.hlak ?? assert.fail())));
    });

    test("restores a link that nobody can tell from the first", () => {
        const world = new World({ client: { computer: "DESKTOP" } }).start();
        const snapshot = transferred(world.server.snapshot());
        const peer = new RawPeer({}, snapshot);
        assert.deepEqual(peer.take(), []);
        assert.deepEqual(peer.link.snapshot(), snapshot);
        for (const key of [
            "phase",
            "ipv4Open",
            "ipv6Open",
            "peerMru",
            "user",
            "method",
            "clientInterfaceId",
        ] as const) {
            assert.deepEqual(peer.link[key], world.server[key], key);
        }
        assert.deepEqual(peer.link.identification, world.server.identification);
    });

    test("restores a link that works: echo, renegotiation, farewell", () => {
        const snapshot = transferred(new World().start().server.snapshot());
        const peer = new RawPeer({}, snapshot);
        const magic = snapshot.lcp.ourMagic.toString(16).padStart(8, "0");
        peer.say("lcp", packet(9, 0x55, "00000000"));
        assert.deepEqual(peer.take(), [`lcp ${packet(10, 0x55, magic)}`]);
        peer.say("ipcp", packet(1, 0x41, "0306c000024d"));
        const id = snapshot.ipcp?.nextIdentifier ?? assert.fail();
        assert.deepEqual(peer.take(), [
            `ipcp ${packet(1, id, "0306c0000201")}`,
            `ipcp ${packet(2, 0x41, "0306c000024d")}`,
        ]);
        peer.say("ipcp", packet(2, id, "0306c0000201"));
        assert.deepEqual(peer.log, ["lost ipv4", "opened ipv4"]);
        peer.link.terminate("drain");
        assert.deepEqual(peer.take(), [`lcp ${packet(5, snapshot.lcp.nextIdentifier)}`]);
        peer.say("lcp", packet(6, snapshot.lcp.nextIdentifier));
        assert.equal(peer.ended()?.detail, "drain");
    });

    test("restores a link that goes on with the family it had, and takes the other when the client asks", () => {
        const profile = CLIENT_PROFILES.routerOs;
        const peer = new RawPeer({}, transferred(new World({ client: { profile } }).start().server.snapshot()));
        assert.deepEqual([peer.link.ipv4Open, peer.link.ipv6Open], [true, false]);
        peer.say("ipv6cp", packet(1, 4, "010a021122fffe334455"));
        assert.deepEqual(peer.take().at(-1), `ipv6cp ${packet(2, 4, "010a021122fffe334455")}`);
    });

    test("restores a link that was still negotiating: silent until the client asks", () => {
        const opened = transferred(new World().start().server.snapshot());
        const peer = new RawPeer({}, { ...opened, ipcp: { opened: false, nextIdentifier: 9 } });
        assert.deepEqual([peer.link.ipv4Open, peer.take()], [false, []]);
        peer.say("ipcp", packet(1, 0x41, "0306c000024d"));
        assert.deepEqual(peer.take(), [
            `ipcp ${packet(1, 9, "0306c0000201")}`,
            `ipcp ${packet(2, 0x41, "0306c000024d")}`,
        ]);
    });

    test("has the interface identifier that the client made us take", () => {
        const peer = new RawPeer({ authentication: ["pap"] }).authenticate();
        peer.link.configureNetwork(NETWORK);
        peer.say("ipv6cp", packet(1, 4, "010a021122fffe334455")).say("ipv6cp", packet(3, 1, "010a0000000000000002"));
        peer.say("ipv6cp", packet(2, 2, "010a0000000000000002"));
        const { network, ipv6cp } = peer.link.snapshot() ?? assert.fail();
        assert.equal(network.ipv6?.serverInterfaceId, "0000000000000002");
        assert.deepEqual(ipv6cp, { opened: true, nextIdentifier: 3, clientInterfaceId: "021122fffe334455" });
    });

    test("does not let LCP start over", () => {
        const peer = new RawPeer({}, transferred(new World().start().server.snapshot()));
        peer.say("lcp", packet(1, 0x99)).run(6000);
        assert.equal(peer.ended()?.reason, "renegotiation-refused");
    });

    test("continues echoes where they are configured", () => {
        const snapshot = transferred(new World().start().server.snapshot());
        const peer = new RawPeer({ echo: { intervalMs: 1000, failures: 1 } }, snapshot).run(8000);
        assert.equal(peer.ended()?.reason, "echo-timeout");
    });
});

test("what came before the network is configured is received then, and discarded where it is malformed", () => {
    const peer = new RawPeer({ authentication: ["pap"] }).authenticate();
    peer.say("ipcp", packet(1, 6, "0306")).say("ipv6cp", packet(1, 4, "010a021122fffe334455"));
    peer.link.configureNetwork(NETWORK);
    assert.equal(peer.link.discarded.malformed, 1);
    assert.deepEqual(peer.take().at(-1), `ipv6cp ${packet(2, 4, "010a021122fffe334455")}`);
});

test("whatever a peer sends, in whatever phase, a link neither throws nor answers without end", () => {
    const protocol = fc.constantFrom(...Object.values(PROTOCOL), 0x8281, 0x4321);
    const code = fc.integer({ min: 0, max: 15 });
    const structured = fc
        .tuple(code, fc.nat(4), fc.uint8Array({ maxLength: 40 }))
        .map(([first, id, data]) => Uint8Array.of(first, id, 0, 4 + data.length, ...data));
    const frame = fc.tuple(protocol, fc.oneof(structured, fc.uint8Array({ maxLength: 40 })));
    const start = fc.constantFrom(
        () => new RawPeer(),
        () => new RawPeer().openLcp(),
        () => new RawPeer({ authentication: ["pap"] }).authenticate(),
        () => {
            const peer = new RawPeer({ authentication: ["pap"] }).authenticate();
            peer.link.configureNetwork(NETWORK);
            return peer;
        },
    );
    fc.assert(
        fc.property(start, fc.array(frame, { maxLength: 40 }), (create, frames) => {
            const peer = create();
            peer.take();
            for (const [number, payload] of frames) {
                peer.link.onFrame(number, payload);
                assert.ok(peer.take().length <= 4, "an answer, not a flood");
            }
            peer.link.terminate("end");
            peer.run(60_000);
            assert.ok(peer.ended() !== undefined);
            assert.deepEqual(peer.time.running, []);
        }),
    );
});

test("on a wire that loses, doubles and reorders, both ends are open or closed in the end: never hung", () => {
    const fates = fc.array(fc.constantFrom([0], [0], [0], [0], [], [0, 0], [3], [0, 5]), { maxLength: 120 });
    fc.assert(
        fc.property(fc.constantFrom(...PROFILES), fates, fc.boolean(), (name, fate, pap) => {
            const world = new World({
                client: { profile: CLIENT_PROFILES[name] },
                server: { authentication: pap ? ["pap"] : ["mschapv2", "pap"] },
                fate: (_, count) => fate[count] ?? [0],
            });
            world.start().run(300_000);
            const { server, client, closed } = world;
            const context = `${world.log.join(", ")}; ${server.phase} ${client.phase}`;
            if (closed.server === undefined) assert.ok(server.ipv4Open, context);
            if (closed.client === undefined) assert.ok(client.ipv4 !== undefined, context);
            // One end's farewell may be lost; then only SSTP below can tell the other.
            if (closed.server === undefined && closed.client === undefined) {
                assert.equal(client.ipv4?.address, NETWORK.ipv4?.clientAddress, context);
                assert.deepEqual(world.time.running, [], context);
            }
            assertHarmless(world);
        }),
        { numRuns: 300 },
    );
});

test("the two ways to make a link differ in where they begin", () => {
    const peer = new RawPeer();
    assert.ok(peer.link instanceof PppLink);
    assert.equal(peer.link.phase, "establish");
});
