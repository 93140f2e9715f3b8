// Whole sessions in one process: our client over real TLS against the worker's listener and sessions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "@postern/errors";
import { parseIpv4 } from "@postern/ip";
import { encodeEchoRequest, flipBit, type CallConnectedField } from "@postern/sstp-client";
import { eventually, waitForValue } from "@postern/testkit";
import { Session } from "../src/session.ts";
import { GATEWAY, startWorker, USER } from "./worker-harness.ts";

const FIRST_ADDRESS = "10.91.0.11";
const ping = (source: string, sequence = 1): Uint8Array =>
    encodeEchoRequest({
        source: parseIpv4(source),
        destination: parseIpv4(GATEWAY),
        identifier: 7,
        sequence,
        dataSize: 56,
    });

for (const method of ["mschapv2", "pap"] as const) {
    for (const client of ["windows", "sstpc", "openSstp", "routerOs"] as const) {
        test(`${client} with ${method}: address, DNS, ping, a clean end`, async () => {
            await using worker = await startWorker();
            const tunnel = await worker.dial({ method, client });
            assert.equal(tunnel.address, FIRST_ADDRESS);
            assert.equal(tunnel.gateway, GATEWAY);
            await tunnel.ping(GATEWAY);
            assert.equal(worker.started.length, 1);
            assert.deepEqual([...worker.uplink.attached.values()], [FIRST_ADDRESS]);
            await tunnel.disconnect();
            await eventually(() =>
                assert.deepEqual(
                    worker.ended.map(({ reason }) => reason),
                    ["client-disconnect"],
                ),
            );
            assert.equal(worker.uplink.attached.size, 0);
        });
    }
}

test("TLS 1.2 as Windows 10 speaks it", async () => {
    await using worker = await startWorker();
    const tunnel = await worker.dial({ tls: { maxVersion: "TLSv1.2" } });
    assert.match(tunnel.tls, /^TLSv1\.2 /);
    await tunnel.ping(GATEWAY);
});

test("an RSA-only client and an ECDSA-only client each bind to the certificate they saw", async () => {
    await using worker = await startWorker();
    for (const ciphers of ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"]) {
        const tunnel = await worker.dial({ tls: { maxVersion: "TLSv1.2", ciphers } });
        await tunnel.disconnect();
    }
    assert.deepEqual(worker.bindingFailures, []);
});

test("T5: one flipped bit in any field of CALL_CONNECTED is refused, and the failure names the field", async () => {
    await using worker = await startWorker();
    const expected = {
        nonce: "nonce",
        certificateHash: "certificate-hash",
        compoundMac: "compound-mac",
        hashProtocol: "hash-algorithm",
    } as const satisfies Partial<Record<CallConnectedField, string>>;
    for (const [field, reason] of Object.entries(expected)) {
        const at = Number(field === "hashProtocol") * 7;
        const callConnected = flipBit(field as CallConnectedField, at); // a key of the table above
        await assert.rejects(worker.dial({ misbehaviour: { callConnected } }), /server-abort: attribute 3, status 4/);
        assert.equal(worker.bindingFailures.pop(), reason, field);
    }
    assert.deepEqual(worker.started, []);
    assert.deepEqual(worker.uplink.packets, []);
});

test("T5: a session without its keys is refused with a reason of its own", async () => {
    await using worker = await startWorker({ withoutKeys: true });
    await assert.rejects(worker.dial({ method: "mschapv2" }), /server-abort/);
    assert.deepEqual(worker.bindingFailures, ["key-missing"]);
    await eventually(() =>
        assert.deepEqual(
            worker.ended.map(({ reason }) => reason),
            ["binding-failed"],
        ),
    );
});

test("T5: CALL_CONNECTED before the authentication result is kept and verified after it", async () => {
    await using worker = await startWorker({ decisionDelay: 100 });
    const tunnel = await worker.dial({ misbehaviour: { callConnectedAt: "credentials" }, method: "mschapv2" });
    await tunnel.ping(GATEWAY);
});

test("T6: IP packets before CALL_CONNECTED are dropped and counted", async () => {
    await using worker = await startWorker();
    const early = [ping(FIRST_ADDRESS), ping(FIRST_ADDRESS, 2)];
    const tunnel = await worker.dial({ misbehaviour: { earlyPackets: early } });
    assert.deepEqual(worker.uplink.packets, []);
    const [session] = worker.sessions.values();
    assert.equal(session?.traffic.drops["gate-closed"], early.length);
    await tunnel.ping(GATEWAY);
});

test("T6: without CALL_CONNECTED no packet passes in either direction, and the negotiation times out", async () => {
    await using worker = await startWorker({ settings: { negotiationTimeout: 400 } });
    const dialled = worker.dial({ misbehaviour: { callConnectedAt: "never" } });
    const [session] = await eventually(() => {
        const found = [...worker.sessions.values()];
        assert.equal(found[0]?.facts?.admission.addresses.address, FIRST_ADDRESS);
        return found;
    });
    worker.uplink.deliver(session?.slot ?? -1, new Uint8Array(92));
    assert.equal(session?.traffic.drops["gate-closed"], 1);
    const tunnel = await dialled.catch((error: unknown) => error);
    await eventually(() => assert.equal(worker.ended[0]?.reason, "negotiation-timeout"));
    assert.ok(tunnel);
    assert.deepEqual(worker.uplink.packets, []);
});

test("packets from a foreign inner address never reach the network", async () => {
    await using worker = await startWorker();
    const tunnel = await worker.dial();
    tunnel.sendIp(ping("10.91.0.99"));
    tunnel.sendIp(ping("192.0.2.1"));
    tunnel.sendIp(Uint8Array.of(0x45, 0, 0, 20));
    await tunnel.ping(GATEWAY);
    const [session] = worker.sessions.values();
    assert.equal(session?.traffic.drops["foreign-source"], 2);
    assert.equal(session.traffic.drops.malformed, 1);
    assert.equal(worker.uplink.packets.length, 1);
});

test("a wrong password and an unknown user are refused, quickly", async () => {
    await using worker = await startWorker();
    for (const method of ["mschapv2", "pap"] as const) {
        for (const wrong of [{ password: "wrong" }, { user: "mallory" }]) {
            const begun = performance.now();
            await assert.rejects(worker.dial({ method, ...wrong }));
            assert.ok(performance.now() - begun < 6_000);
        }
    }
    assert.deepEqual(worker.started, []);
    await eventually(() => assert.equal(worker.sessions.size, 0));
});

test("a client that goes away while it is being admitted leaves nothing behind", async () => {
    await using worker = await startWorker({ decisionDelay: 300 });
    const dialled = worker.dial({ timeout: 200 });
    await assert.rejects(dialled);
    await eventually(() =>
        assert.deepEqual(
            worker.ended.map(({ reason }) => reason),
            ["client-gone"],
        ),
    );
    assert.equal(worker.uplink.attached.size, 0);
});

test("a session that is ended while it is being admitted gives its admission back once", async () => {
    await using worker = await startWorker({ decisionDelay: 200 });
    const dialled = worker.dial().catch((error: unknown) => error);
    const session = await waitForValue(() => {
        const [found] = worker.sessions.values();
        return found?.transport.steps.has("lcp") === true ? found : undefined;
    });
    assert.equal(session.end("replaced"), true);
    assert.ok((await dialled) instanceof Error);
    await eventually(() =>
        assert.deepEqual(
            worker.ended.map(({ reason }) => reason),
            ["replaced"],
        ),
    );
    assert.equal(session.end("replaced"), false);
    await eventually(() => assert.equal(worker.sessions.size, 0));
    assert.deepEqual([worker.started, worker.gaveUp, [...worker.uplink.attached]], [[], ["replaced"], []]);
});

test("a snapshot is stored soon after the session opens, and again when IPv6 has", async () => {
    await using worker = await startWorker();
    const tunnel = await worker.dial({ client: "windows" });
    const [session] = worker.sessions.values();
    const stored = await eventually(() => {
        const list = worker.snapshots.get(session?.id ?? "") ?? [];
        const ppp = list.at(-1)?.ppp as { ipcp?: { opened: boolean }; ipv6cp?: { opened: boolean } } | undefined; // a LinkSnapshot
        assert.deepEqual([ppp?.ipcp?.opened, ppp?.ipv6cp?.opened], [true, true]);
        return list;
    });
    assert.ok(stored.length <= 2, `${stored.length} snapshots`);
    assert.equal(stored.at(-1)?.identity, USER);
    await tunnel.disconnect();
});

test("echoes of sessions that began together do not go on together", async () => {
    const left: number[] = [];
    for (const chance of [0, 0.5, 0.99]) {
        await using worker = await startWorker({ random: () => chance });
        await worker.dial();
        const [session] = worker.sessions.values();
        left.push(session?.timers.remaining("sstp-hello") ?? 0);
    }
    const [latest = 0, middle = 0, earliest = 0] = left;
    assert.ok(latest <= 60_000 && latest > 58_000, `${latest}`);
    assert.ok(middle <= 57_000 && middle > 55_000, `${middle}`);
    assert.ok(earliest <= 54_060 && earliest > 52_000, `${earliest}`);
});

test("a client that asks without end before it has shown who it is, is ended and not answered for ever", async () => {
    await using worker = await startWorker({ settings: { negotiationPackets: 50 } });
    const early = Array.from({ length: 100 }, (_, index) => ping("10.9.9.9", index));
    await assert.rejects(worker.dial({ misbehaviour: { earlyPackets: early } }), /server-closed|stream-error/);
    await eventually(() => assert.equal(worker.sessions.size, 0));
    const tunnel = await worker.dial();
    for (let index = 0; index < 100; index += 1) await tunnel.ping(GATEWAY);
    await tunnel.disconnect();
});

test("T18: a client that loses its TCP connection, and one that falls silent", async () => {
    await using worker = await startWorker({ settings: { hello: 300 } });
    const reset = await worker.dial();
    reset.destroy();
    await eventually(() =>
        assert.deepEqual(
            worker.ended.map(({ reason }) => reason),
            ["client-gone"],
        ),
    );
    const silent = await worker.dial();
    silent.freeze();
    await eventually(() => assert.equal(worker.ended[1]?.reason, "hello-timeout"));
    silent.destroy();
});

test("an end by the server reaches the client as a clean one", async () => {
    await using worker = await startWorker();
    const tunnel = await worker.dial();
    const [session] = worker.sessions.values();
    session?.end("admin-disconnect");
    const end = await tunnel.closed;
    assert.match(end.reason, /terminate|disconnect/);
    await eventually(() =>
        assert.deepEqual(
            worker.ended.map(({ reason }) => reason),
            ["admin-disconnect"],
        ),
    );
});

test("T2: a stream that is cut at every octet is the same session", async () => {
    await using worker = await startWorker();
    const tunnel = await worker.dial({ misbehaviour: { splitWrites: 1 } });
    await tunnel.ping(GATEWAY);
    await tunnel.disconnect();
});

test("T12: a reader that stops costs its queue and no more, and goes on when it reads again", async () => {
    await using worker = await startWorker();
    let received = 0;
    const tunnel = await worker.dial({ onIpPacket: () => (received += 1) });
    const [session] = worker.sessions.values();
    assert.ok(session);
    tunnel.pauseReading();
    const size = 1_400;
    const send = (): void => {
        const packet = new Uint8Array(size);
        packet.set([0x45, 0, size >> 8, size & 255, 0, 0, 0, 0, 64, 17]);
        worker.uplink.deliver(session.slot, packet);
    };
    // Far beyond what both kernels' socket buffers hold.
    await eventually(
        () => {
            for (let packet = 0; packet < 2_000; packet += 1) send();
            assert.ok(session.traffic.drops["queue-full"] > 1_000);
        },
        { within: 10_000 },
    );
    assert.ok(session.transport.stream.writableLength <= 262_144);
    tunnel.resumeReading();
    const sent = session.counters.packetsOut;
    await eventually(() => assert.equal(received, sent), { within: 10_000 });
    assert.ok(sent * size > 139_264);
    send();
    await eventually(() => assert.equal(received, sent + 1));
    await tunnel.ping(GATEWAY);
});

test("hand-over: a live session, cut in the middle of a packet, goes on in another worker", async () => {
    await using here = await startWorker({ pieces: 10 });
    await using there = await startWorker();
    // A client without IPv6, so that nothing is negotiated any more once a ping has come back.
    const tunnel = await here.dial({ client: "routerOs" });
    await tunnel.ping(GATEWAY);
    const [session] = here.sessions.values();
    assert.ok(session);
    let seen = 0;
    const moved = new Promise<Session>((resolve, reject) => {
        session.transport.stream.on("data", (chunk: Uint8Array) => {
            seen += chunk.length;
            if (seen < 40) return;
            const handOver = session.handOver();
            if (handOver === undefined || handOver.tail.length === 0)
                return reject(new InvariantError("not in the middle of a packet"));
            const snapshot = JSON.parse(JSON.stringify(handOver.snapshot)) as typeof handOver.snapshot; // as it would arrive
            const slot = there.sessions.takeSlot() ?? -1;
            const restored = Session.restore({ ...handOver, snapshot }, slot, session.transport, there.ports);
            there.sessions.add(restored);
            resolve(restored);
        });
    });
    const answered = tunnel.ping(GATEWAY);
    const restored = await moved;
    await answered;
    assert.equal(here.sessions.size, 0);
    assert.equal(here.uplink.packets.length, 1);
    assert.equal(there.uplink.packets.length, 1);
    assert.deepEqual(here.ended, []);
    await tunnel.ping(GATEWAY);
    assert.equal(restored.facts?.admission.principal, USER);
    restored.end("admin-disconnect");
    await tunnel.closed;
    await eventually(() =>
        assert.deepEqual(
            there.ended.map(({ reason }) => reason),
            ["admin-disconnect"],
        ),
    );
    assert.equal(there.ended[0]?.counters.packetsIn, 3, "counters are of the whole session");
});

for (const method of ["mschapv2", "pap"] as const) {
    test(`${method}: a slow decision holds the negotiation timer, and retransmissions do not ask again`, async () => {
        // Longer than the restart timer of either side, RFC 1661 §4.6: 3 s.
        const settings = { negotiationTimeout: 600, authTimeout: 20_000 };
        await using worker = await startWorker({ decisionDelay: 4_000, settings });
        const tunnel = await worker.dial({ method });
        await tunnel.ping(GATEWAY);
        assert.equal(tunnel.address, FIRST_ADDRESS);
        assert.deepEqual(worker.asked, [method]);
    });
}
