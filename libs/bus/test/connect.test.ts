import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { PeerCertificate } from "node:tls";
import {
    createCertificateAuthority,
    createTemporaryDirectory,
    eventually,
    KeptLog,
    startNatsServer,
} from "@postern/testkit";
import { identityCheck } from "../src/connect.ts";
import { connectBus, type BusStatus } from "../src/index.ts";
import { openBus } from "./test-bus.ts";

test("the first connection is waited for, with lines that name the server", { timeout: 30_000 }, async () => {
    await using server = await startNatsServer();
    await server.stop();
    const log = new KeptLog();
    const connecting = connectBus({ servers: [server.url], instance: "w1", tenant: "main", log });
    await eventually(() => assert.ok(log.lines.length >= 2));
    assert.match(log.lines[0]?.message ?? "", /^NATS: .*; trying again$/);
    assert.deepEqual(log.lines[0]?.fields, { ...log.lines[0]?.fields, servers: [server.url], attempt: 1 });
    await server.start();
    const bus = await connecting;
    assert.ok(bus.status.connected);
    assert.ok(log.find(/^connected to NATS$/));
    await bus.close();
    assert.equal(bus.status.connected, false);
});

test("the wait for the first connection can be given up", async () => {
    const log = new KeptLog();
    const reason = new Error("stopping");
    const signal = AbortSignal.timeout(50);
    const connecting = connectBus({ servers: ["nats://127.0.0.1:1"], instance: "w1", tenant: "main", log, signal });
    await assert.rejects(connecting, { name: "AbortError" });
    await assert.rejects(
        connectBus({ servers: [], instance: "w1", tenant: "main", log, signal: AbortSignal.abort(reason) }),
        reason,
    );
});

test("a lost connection is said, and renewed for ever", { timeout: 60_000 }, async () => {
    await using server = await startNatsServer();
    let now = 1_000;
    await using one = await openBus(server, "w1", { clock: () => now });
    assert.deepEqual(one.bus.status, { connected: true, since: 1_000 });
    const changes: BusStatus[] = [];
    const stop = one.bus.onStatus((status) => changes.push(status));
    now = 2_000;
    await server.kill();
    await eventually(() => assert.deepEqual(changes, [{ connected: false, since: 2_000 }]));
    now = 3_000;
    await server.start();
    await eventually(() => assert.deepEqual(changes.slice(1), [{ connected: true, since: 3_000 }]));
    stop();
    await server.restart();
    await eventually(() => assert.ok(one.bus.status.connected && one.log.lines.length >= 5));
    assert.equal(changes.length, 2);
});

test("a server that is too old is refused by name", async () => {
    const old = createServer((socket) => {
        const info = {
            server_id: "x",
            version: "2.10.27",
            proto: 1,
            max_payload: 1_048_576,
            headers: true,
            go: "",
            host: "127.0.0.1",
            port: 1,
        };
        socket.write(`INFO ${JSON.stringify(info)}\r\n`);
        socket.on("data", (data) => data.includes("PING") && socket.write("PONG\r\n"));
        socket.on("error", () => undefined);
    });
    old.listen(0, "127.0.0.1");
    await once(old, "listening");
    const address = old.address();
    assert.ok(address !== null && typeof address === "object");
    const url = `nats://127.0.0.1:${address.port}`;
    await assert.rejects(connectBus({ servers: [url], instance: "w1", tenant: "main", log: new KeptLog() }), {
        code: "BUS_SERVER_TOO_OLD",
        message: /nats-server 2\.10\.27 at 127\.0\.0\.1:\d+; 2\.11 is needed/,
    });
    old.close();
});

test("TLS is required when a CA is given, and the server is verified against it", { timeout: 30_000 }, async () => {
    await using directory = await createTemporaryDirectory("tls");
    const files = async (name: string): Promise<{ ca: string; certificate: string; key: string }> => {
        const authority = await createCertificateAuthority(name);
        const issued = await authority.issue({ names: ["127.0.0.1"] });
        const paths = {
            ca: join(directory.path, `${name}-ca.pem`),
            certificate: join(directory.path, `${name}.pem`),
            key: join(directory.path, `${name}-key.pem`),
        };
        await writeFile(paths.ca, authority.cert);
        await writeFile(paths.certificate, issued.cert);
        await writeFile(paths.key, issued.key);
        return paths;
    };
    const [ours, theirs] = [await files("ours"), await files("theirs")];
    await using server = await startNatsServer({
        config: `tls { cert_file: "${ours.certificate}", key_file: "${ours.key}" }`,
    });
    const secured = server.url.replace("nats://", "tls://");
    await using good = await openBus({ url: secured }, "w1", { caFile: ours.ca });
    assert.ok(good.bus.status.connected);

    const log = new KeptLog();
    const giveUp = new AbortController();
    const bad = connectBus({
        servers: [secured],
        instance: "w1",
        tenant: "main",
        caFile: theirs.ca,
        log,
        signal: giveUp.signal,
    });
    await eventually(() => assert.ok(log.find(/certificate|unable to verify|self.signed/i)));
    giveUp.abort();
    await assert.rejects(bad);

    const accept = identityCheck([secured]);
    const otherName = { subject: { CN: "nats-2" }, subjectaltname: "DNS:nats-2" } as PeerCertificate; // what is compared
    assert.equal(accept("localhost", { ...otherName, subjectaltname: "IP Address:127.0.0.1" }), undefined);
    assert.match(accept("localhost", otherName)?.message ?? "", /does not match/);
    assert.match(
        identityCheck(["tls://nats-1:4222", "tls://nats-2:4222"])("nats-1", otherName)?.message ?? "",
        /nats-1/,
    );

    await using plain = await startNatsServer();
    const plainLog = new KeptLog();
    const stop = new AbortController();
    const downgraded = connectBus({
        servers: [plain.url],
        instance: "w1",
        tenant: "main",
        caFile: ours.ca,
        log: plainLog,
        signal: stop.signal,
    });
    await eventually(() => assert.ok(plainLog.find(/trying again/)));
    stop.abort();
    await assert.rejects(downgraded);
});

test("a seed file that is missing or holds something else is a configuration error", async () => {
    await using directory = await createTemporaryDirectory("seed");
    const seedFile = join(directory.path, "x.nk");
    const options = { servers: ["nats://127.0.0.1:1"], instance: "w1", tenant: "main", log: new KeptLog(), seedFile };
    await assert.rejects(connectBus(options), { code: "CONFIG_INVALID", message: /x\.nk cannot be read/ });
    await writeFile(seedFile, "secret-looking text");
    await assert.rejects(connectBus(options), (error: Error) => {
        assert.match(error.message, /holds no nkey seed/);
        assert.doesNotMatch(error.message, /secret-looking/);
        return true;
    });
});
