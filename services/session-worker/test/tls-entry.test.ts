// What happens to TLS after the handshake: errors that Node tells nobody, renegotiation, tickets.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { TLSSocket, type SecureVersion } from "node:tls";
import { encodeSstpRequest } from "@postern/sstp";
import type { SstpClientOptions } from "@postern/sstp-client";
import { eventually } from "@postern/testkit";
import { GATEWAY, startWorker } from "./worker-harness.ts";

type Worker = Awaited<ReturnType<typeof startWorker>>;

const REQUEST = encodeSstpRequest({
    host: "vpn.example.test",
    correlationId: "{6f7b2f0a-1111-4222-8333-944445555666}",
});

/** A TLS client whose bytes can be held back, and sent with others behind them in one piece. */
async function heldClient(worker: Worker, maxVersion: SecureVersion) {
    const tcp = connectTcp({ host: "127.0.0.1", port: worker.port, noDelay: true });
    tcp.on("error", () => undefined);
    await once(tcp, "connect");
    let held: Buffer[] | undefined;
    const stream = new Duplex({
        read: () => void tcp.resume(),
        write(chunk: Buffer, _encoding, done) {
            if (held === undefined) return void tcp.write(chunk, done);
            held.push(chunk);
            done();
        },
    });
    tcp.on("data", (chunk) => stream.push(chunk)).on("close", () => stream.destroy());
    const tls = worker.connectTls({ socket: stream, maxVersion });
    tls.on("error", () => undefined);
    await once(tls, "secureConnect");
    return {
        tcp,
        tls,
        hold: () => (held = []),
        release: (behind: Uint8Array) => {
            assert.ok(held !== undefined && held.length > 0);
            const bytes = Buffer.concat([...held, behind]);
            held = undefined;
            tcp.write(bytes);
        },
    };
}

/** A record of application data that no key opens. */
const BROKEN = Uint8Array.of(0x17, 3, 3, 0, 40, ...Array.from({ length: 40 }, () => 0xaa));

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`${maxVersion}: a broken record right behind the request, and one in a session, end the connection at once`, async () => {
        await using worker = await startWorker();
        const early = await heldClient(worker, maxVersion);
        early.hold();
        await new Promise((resolve) => early.tls.write(REQUEST, resolve));
        early.release(BROKEN);
        await once(early.tcp, "close");
        const late = await heldClient(worker, maxVersion);
        late.tls.write(REQUEST);
        await once(late.tls, "data");
        await eventually(() => assert.equal(worker.sessions.size, 1));
        late.tcp.write(BROKEN);
        await once(late.tcp, "close");
        await eventually(() => assert.equal(worker.sessions.size, 0));
        assert.equal(worker.listener.connections, 0);
    });
}

test("a client that wants to renegotiate is cut off", async () => {
    await using worker = await startWorker();
    const tls = worker.connectTls({ maxVersion: "TLSv1.2" });
    tls.on("error", () => undefined);
    await once(tls, "secureConnect");
    tls.write(REQUEST);
    await once(tls, "data");
    tls.renegotiate({ rejectUnauthorized: false }, () => undefined);
    await once(tls, "close");
    await eventually(() => assert.equal(worker.sessions.size, 0));
});

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`${maxVersion}: the crypto binding of a client that a ticket brings back is verified`, async () => {
        await using worker = await startWorker();
        const first = worker.connectTls({ maxVersion });
        const [ticket] = (await once(first, "session")) as [Buffer]; // what the event carries
        const shown = first.getPeerX509Certificate();
        first.destroy();
        // Node's client does not say which certificate a resumed session was opened with; a real one remembers.
        const original = Object.getOwnPropertyDescriptor(TLSSocket.prototype, "getPeerX509Certificate") ?? {};
        Object.defineProperty(TLSSocket.prototype, "getPeerX509Certificate", { ...original, value: () => shown });
        try {
            const tls = { maxVersion, session: ticket } as SstpClientOptions["tls"]; // options of tls.connect, which get them all
            const tunnel = await worker.dial(tls === undefined ? {} : { tls });
            const [session] = worker.sessions.values();
            assert.ok(session?.transport.stream instanceof TLSSocket);
            assert.equal(session.transport.stream.isSessionReused(), true);
            assert.equal(session.transport.certificates.length, 2);
            await tunnel.ping(GATEWAY);
            assert.deepEqual(worker.bindingFailures, []);
        } finally {
            Object.defineProperty(TLSSocket.prototype, "getPeerX509Certificate", original);
        }
    });
}

test("ALPN: http/1.1 is chosen where it is offered; a list without it is no reason to refuse", async () => {
    await using worker = await startWorker();
    for (const [offered, chosen] of [
        [["h2", "http/1.1"], "http/1.1"],
        [["h2"], false],
        [[], false],
    ] as const) {
        const tls = worker.connectTls({ ALPNProtocols: [...offered] });
        await once(tls, "secureConnect");
        assert.equal(tls.alpnProtocol, chosen);
        tls.destroy();
    }
});
