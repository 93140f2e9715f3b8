// What happens to TLS after the handshake: errors that Node tells nobody, renegotiation, tickets.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import path from "node:path";
import { Duplex } from "node:stream";
import { test } from "node:test";
import type { SecureVersion } from "node:tls";
import { encodeSstpRequest } from "@postern/sstp";
import { DialError, type TlsSession } from "@postern/sstp-client";
import { createTemporaryDirectory, eventually } from "@postern/testkit";
import { GATEWAY, issuePairs, startWorker } from "./worker-harness.ts";

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

/** Two tickets of one worker, before and after its ECDSA certificate was replaced. */
async function ticketsOf(
    worker: Worker,
    maxVersion: SecureVersion,
): Promise<{ before: TlsSession; after: TlsSession }> {
    const take = async (): Promise<TlsSession> => {
        const given = Promise.withResolvers<TlsSession>();
        const client = await worker.dial({ tls: { maxVersion }, onTlsSession: given.resolve });
        assert.equal(client.isResumed, false);
        const ticket = await given.promise;
        await client.disconnect();
        return ticket;
    };
    const before = await take();
    await worker.replaceCertificate("ecdsa");
    return { before, after: await take() };
}

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const tls = { maxVersion };

    test(`${maxVersion}: the crypto binding of a client that a ticket brings back is verified with what it saw then`, async () => {
        await using worker = await startWorker();
        const { before, after } = await ticketsOf(worker, maxVersion);
        worker.secured.length = 0;
        for (const ticket of [before, after]) {
            const client = await worker.dial({ tls, resumes: ticket });
            assert.equal(client.isResumed, true);
            assert.ok([...worker.sessions.values()].at(-1)?.transport.tls.resumed);
            await client.ping(GATEWAY);
        }
        assert.deepEqual(worker.secured, ["resumed", "resumed"]);
        assert.deepEqual(worker.bindingFailures, []);
    });

    test(`${maxVersion}: a ticket does not bring back a certificate that was replaced before it was given`, async () => {
        await using worker = await startWorker();
        const { before, after } = await ticketsOf(worker, maxVersion);
        const ticket = { session: after.session, certificate: before.certificate };
        await assert.rejects(worker.dial({ tls, resumes: ticket }), DialError);
        assert.deepEqual(worker.bindingFailures, ["certificate-hash"]);
    });

    test(`${maxVersion}: a certificate that was replaced longer ago than a ticket lives is refused`, async () => {
        await using worker = await startWorker();
        const { before } = await ticketsOf(worker, maxVersion);
        worker.clock.now += 3_600_000;
        const honest = await worker.dial({ tls, resumes: before });
        assert.equal(honest.isResumed, false);
        await honest.ping(GATEWAY);
        const claimsOldCertificate = worker.dial({
            tls,
            resumes: before,
            misbehaviour: { callConnected: (packet) => [claiming(before.certificate, packet)] },
        });
        await assert.rejects(claimsOldCertificate, DialError);
        assert.deepEqual(worker.bindingFailures, ["certificate-hash"]);
    });

    test(`${maxVersion}: OpenSSL's client comes back to another worker, and its new keys are not the ticket's`, async () => {
        await using folder = await createTemporaryDirectory("tickets");
        const file = path.join(folder.path, "session.pem");
        const keys = { secret: randomBytes(32), pairs: await issuePairs() };
        await using first = await startWorker(keys);
        await using second = await startWorker(keys);
        const version = maxVersion === "TLSv1.2" ? "-tls1_2" : "-tls1_3";
        const opened = await openssl(first.port, file, version, "-sess_out", file);
        assert.match(opened, /^New, TLSv1\.[23], Cipher is/m);
        assert.match(opened, /TLS session ticket lifetime hint: 3600 \(seconds\)/);
        // The client would do without Diffie-Hellman; the worker does not.
        const resumed = await openssl(second.port, undefined, version, "-sess_in", file, "-allow_no_dhe_kex");
        assert.match(resumed, /^Reused, TLSv1\.[23], Cipher is/m);
        if (maxVersion === "TLSv1.3") assert.match(resumed, /^Server Temp Key: X25519/m);
    });
}

/** A Call Connected with the hash of another certificate in it. */
function claiming(certificate: Uint8Array, packet: Uint8Array): Uint8Array {
    const changed = Uint8Array.from(packet);
    changed.set(createHash("sha256").update(certificate).digest(), 48);
    return changed;
}

/** What `openssl s_client` prints of a handshake; it leaves when it has been given `awaited`. */
async function openssl(port: number, awaited: string | undefined, ...more: readonly string[]): Promise<string> {
    const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "vpn.example.test", ...more];
    const client = spawn("openssl", args, { stdio: ["pipe", "pipe", "ignore"] });
    const closed = once(client, "close");
    let said = "";
    client.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    await once(client.stdout, "data");
    await eventually(() => assert.ok(awaited === undefined || existsSync(awaited)));
    client.stdin.end("Q\n");
    await closed;
    return said;
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
