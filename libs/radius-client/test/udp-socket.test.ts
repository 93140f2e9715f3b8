// Real sockets on the loopback, and a server that answers wrongly, late, twice or never.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { decodePacket, encodePacket } from "@postern/radius";
import { startUdpServer } from "@postern/testkit";
import { ServerGroup } from "../src/server-group.ts";
import { ACCESS, keptObserver, never, replyTo, settingsOf } from "./group-rig.ts";

/** What comes before the right reply, and how it is counted. */
const WRONG: readonly (readonly [string, string, (datagram: Uint8Array) => Uint8Array])[] = [
    ["a wrong Message-Authenticator", "not-authentic", (request) => flipped(replyTo(request), 25)],
    ["a wrong Response Authenticator", "not-authentic", (request) => flipped(replyTo(request), 5)],
    [
        "a reply to another request",
        "not-authentic",
        (request) => replyTo(request, 2, [], { authenticator: new Uint8Array(16) }),
    ],
    ["another identifier", "unexpected", (request) => replyTo(request, 2, [], { identifier: 255 })],
    ["a code that is no answer", "wrong-code", (request) => replyTo(request, 5)],
    ["half of a packet", "malformed", (request) => replyTo(request).subarray(0, 15)],
    ["no Message-Authenticator", "not-authentic", (request) => bare(request)],
    ["nothing at all", "unexpected", () => new Uint8Array(0)],
];

function flipped(bytes: Uint8Array, at: number): Uint8Array {
    const changed = Uint8Array.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
}

const bare = (request: Uint8Array): Uint8Array => encodePacket({ ...decodePacket(request), code: 2, attributes: [] });

for (const [what, reason, wrong] of WRONG) {
    test(`${what} is counted and ignored, and the right reply taken`, async () => {
        await using server = await startUdpServer((datagram, reply) => {
            reply(wrong(datagram));
            reply(replyTo(datagram));
        });
        const observer = keptObserver();
        const group = new ServerGroup(settingsOf([server.port]), observer);
        const name = `127.0.0.1:${server.port}`;
        assert.equal((await group.ask(ACCESS, { signal: never })).server, name);
        assert.deepEqual(observer.lines, [`${name} ignored ${reason}`, `${name} reply 2`]);
        group.stop();
    });
}

test("only forged replies: nobody has answered, and the next server is asked", async () => {
    await using forger = await startUdpServer((datagram, reply) => reply(flipped(replyTo(datagram), 25)));
    await using honest = await startUdpServer((datagram, reply) => reply(replyTo(datagram)));
    const settings = settingsOf([forger.port, honest.port], { serverTimeout: 200 });
    const group = new ServerGroup(settings, keptObserver());
    assert.equal((await group.ask(ACCESS, { signal: never })).server, `127.0.0.1:${honest.port}`);
    assert.equal(group.states[0]?.state, "dead");
    group.stop();
});

test("the second of two replies is nobody's", async () => {
    await using server = await startUdpServer((datagram, reply) => {
        reply(replyTo(datagram));
        reply(replyTo(datagram, 3));
    });
    const observer = keptObserver();
    const group = new ServerGroup(settingsOf([server.port]), observer);
    assert.equal((await group.ask(ACCESS, { signal: never })).packet.code, 2);
    assert.equal((await group.ask(ACCESS, { signal: never })).packet.code, 2);
    assert.ok(observer.lines.includes(`127.0.0.1:${server.port} ignored unexpected`));
    group.stop();
});

test("a closed port is known at once, and a name that nobody has", async () => {
    const gone = await startUdpServer(() => undefined);
    await gone[Symbol.asyncDispose]();
    await using server = await startUdpServer((datagram, reply) => reply(replyTo(datagram)));
    const settings = settingsOf([gone.port, server.port], { serverTimeout: 60_000, timeout: 60_000 });
    const group = new ServerGroup(settings, keptObserver());
    assert.equal((await group.ask(ACCESS, { signal: never })).server, `127.0.0.1:${server.port}`);
    assert.equal(group.states[0]?.state, "dead");
    group.stop();
    const [nobody] = settingsOf([1]).servers;
    assert.ok(nobody);
    const nameless = { ...settings, servers: [{ ...nobody, address: { host: "nobody.invalid", port: 1812 } }] };
    const lost = new ServerGroup(nameless, keptObserver());
    await assert.rejects(lost.ask(ACCESS, { signal: never }), DependencyError);
    lost.stop();
});
