// Real TLS on the loopback, and servers that answer wrongly, break off, or say nothing.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { createCertificateAuthority } from "@postern/testkit";
import type { TlsSettings } from "../src/client-socket.ts";
import type { GroupSettings } from "../src/group-settings.ts";
import { ServerGroup } from "../src/server-group.ts";
import { ACCESS, isStatus, keptObserver, never, replyTo, settingsOf } from "./group-rig.ts";
import { startTlsServer, type TlsServer } from "./tls-server.ts";

const SILENCE = 400;

function settingsFor(
    server: Pick<TlsServer, "port" | "authority">,
    tls: Partial<TlsSettings> = {},
    changes: Partial<GroupSettings> = {},
): GroupSettings {
    const settings = settingsOf([server.port], { serverTimeout: 5_000, retransmit: 50, ...changes });
    const servers = settings.servers.map((one) => ({
        ...one,
        address: { ...one.address, tls: { ca: server.authority.cert, silence: SILENCE, ...tls } },
    }));
    return { ...settings, servers };
}

test("requests share one connection, and none is sent twice", async () => {
    await using server = await startTlsServer((packet, socket) => {
        setTimeout(() => socket.write(replyTo(packet)), isStatus(packet) ? 0 : 150);
    });
    const observer = keptObserver();
    const group = new ServerGroup(settingsFor(server), observer);
    const replies = await Promise.all([1, 2, 3].map(() => group.ask(ACCESS, { signal: never })));
    assert.deepEqual([replies.length, server.connections.length, server.packets.length], [3, 1, 3]);
    assert.ok(!observer.lines.some((line) => line.endsWith("again")), observer.lines.join("\n"));
    group.stop();
});

test("a reply that is cut anywhere, or comes with another one, is read", async () => {
    await using server = await startTlsServer((packet, socket) => {
        const reply = replyTo(packet);
        for (const byte of reply) socket.write(Uint8Array.of(byte));
    });
    const group = new ServerGroup(settingsFor(server), keptObserver());
    assert.equal((await group.ask(ACCESS, { signal: never })).packet.code, 2);
    group.stop();
});

test("a certificate of somebody else, for somebody else, or none of ours where one is wanted: nothing is asked", async () => {
    await using server = await startTlsServer((packet, socket) => socket.write(replyTo(packet)));
    await using strict = await startTlsServer((packet, socket) => socket.write(replyTo(packet)), {
        wantsCertificate: true,
    });
    const foreign = await createCertificateAuthority("another authority");
    const certificate = await foreign.issue({ names: ["client"] });
    const own = await strict.authority.issue({ names: ["client"] });
    const cases: readonly (readonly [TlsServer, Partial<TlsSettings>, RegExp])[] = [
        [server, { ca: foreign.cert }, /unable to verify|self-signed|issuer/i],
        [server, { serverName: "radius.corp.example" }, /altnames/],
        [strict, {}, /cannot be reached/],
        [strict, { certificate }, /cannot be reached/],
    ];
    for (const [peer, tls, why] of cases) {
        const group = new ServerGroup(settingsFor(peer, tls), keptObserver());
        await assert.rejects(group.ask(ACCESS, { signal: never }), (error) => {
            assert.ok(error instanceof DependencyError);
            assert.match(error.message, why);
            return true;
        });
        group.stop();
    }
    assert.deepEqual([server.packets.length, strict.packets.length], [0, 0]);
    const group = new ServerGroup(settingsFor(strict, { certificate: own }), keptObserver());
    assert.equal((await group.ask(ACCESS, { signal: never })).packet.code, 2);
    group.stop();
});

test("a name in the certificate is compared with the name that is expected", async () => {
    await using server = await startTlsServer((packet, socket) => socket.write(replyTo(packet)), {
        names: ["radius.corp.example"],
    });
    const group = new ServerGroup(settingsFor(server, { serverName: "radius.corp.example" }), keptObserver());
    assert.equal((await group.ask(ACCESS, { signal: never })).packet.code, 2);
    group.stop();
});

test("a connection that was forgotten is made anew, and the request asked again, once; a person is not", async () => {
    let breaks = 1;
    await using server = await startTlsServer((packet, socket) => {
        if (breaks > 0 && !isStatus(packet)) {
            breaks -= 1;
            socket.destroy();
        } else socket.write(replyTo(packet));
    });
    const group = new ServerGroup(settingsFor(server), keptObserver());
    assert.equal((await group.ask(ACCESS, { signal: never })).packet.code, 2);
    assert.equal(server.connections.length, 2);
    breaks = 2;
    await assert.rejects(group.ask(ACCESS, { signal: never }), /closed the connection/);
    group.stop();
    const before = server.packets.length;
    breaks = 1;
    const patient = new ServerGroup(settingsFor(server, {}, { profile: "interactive" }), keptObserver());
    await assert.rejects(patient.ask(ACCESS, { signal: never }), /closed the connection/);
    assert.equal(server.packets.slice(before).filter((packet) => !isStatus(packet)).length, 1);
    patient.stop();
});

test("a stream that is not RADIUS ends the connection; a forged reply in it does not", async () => {
    let wrong: Uint8Array = Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n");
    await using server = await startTlsServer((packet, socket) =>
        socket.write(Buffer.concat([wrong, replyTo(packet)])),
    );
    const observer = keptObserver();
    const group = new ServerGroup(settingsFor(server), observer);
    await assert.rejects(group.ask(ACCESS, { signal: never }), /expected 20 to 4096/);
    wrong = Buffer.from(
        replyTo(server.packets[0] ?? new Uint8Array(0), 3)
            .with(5, 0)
            .with(1, 200),
    );
    assert.equal((await group.ask(ACCESS, { signal: never })).packet.code, 2);
    assert.ok(observer.lines.includes(`127.0.0.1:${server.port} ignored unexpected`));
    group.stop();
});

test("a server that says nothing is given up: as a connection after its silence, as a handshake likewise", async () => {
    await using server = await startTlsServer(() => undefined);
    const group = new ServerGroup(settingsFor(server), keptObserver());
    await assert.rejects(group.ask(ACCESS, { signal: never }), /no answer over the TLS connection within 400 ms/);
    assert.equal(group.states[0]?.state, "dead");
    group.stop();
    // Takes the connection and never says anything: not even the request's own time is over before the next server is asked.
    const mute = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const address = mute.address();
    assert.ok(address !== null && typeof address === "object");
    const { authority } = server;
    const settings = settingsFor({ port: address.port, authority }, {}, { serverTimeout: 200, timeout: 1_000 });
    const asked = new ServerGroup(settings, keptObserver());
    await assert.rejects(asked.ask(ACCESS, { signal: never }), /did not answer/);
    asked.stop();
    mute.close();
    await once(mute, "close");
});
