// Against real FreeRADIUS servers, and against servers that answer as no server should.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, test } from "node:test";
import { DependencyError } from "@postern/errors";
import { ATTRIBUTE, CODE, decodePacket, encodeReply, textAttribute } from "@postern/radius";
import { radiusDigests } from "@postern/radius-client";
import { startFreeRadius, startUdpServer, type FreeRadius, type UdpServer } from "@postern/testkit";
import { testAuthBackend } from "../../backend-suite.ts";
import { credentialsOf, login, radiusRig, type RadiusRig } from "./radius-rig.ts";

const PASSWORD = randomBytes(12).toString("base64url");
const SECRET = randomBytes(24).toString("base64url");
const USERS = [{ name: "kim", password: PASSWORD, reply: ['Filter-Id := "staff"', "Port-Limit := 2"] }];

let first: FreeRadius;
let second: FreeRadius;
before(async () => {
    first = await startFreeRadius({ users: USERS, secret: SECRET });
    second = await startFreeRadius({ users: USERS, secret: SECRET });
});
after(async () => {
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
});

for (const method of ["pap", "chap", "mschapv2"] as const) {
    test(`${method}: FreeRADIUS lets in who knows the password, with groups and policy, and nobody else`, async () => {
        await using rig = await radiusRig([first.port], SECRET);
        const verdict = await login(rig, credentialsOf(method, "kim", PASSWORD));
        assert.ok(verdict.outcome === "accept", JSON.stringify(verdict));
        assert.deepEqual([verdict.principal, verdict.groups, verdict.policy], ["kim", ["staff"], { maxSessions: 2 }]);
        assert.equal(verdict.keys?.hlak.length, method === "mschapv2" ? 32 : undefined);
        assert.equal(rig.backend.readiness(), undefined);
        for (const [user, password] of [
            ["kim", "wrong"],
            ["nobody", PASSWORD],
        ] as const) {
            const refused = await login(rig, credentialsOf(method, user, password));
            assert.partialDeepStrictEqual(refused, { outcome: "reject", reason: "bad-credentials" });
        }
    });
}

test("a server with another secret is nobody's word: the login is undecided", async () => {
    await using rig = await radiusRig([first.port], "another secret", "timeout: 1s, serverTimeout: 500ms");
    await assert.rejects(login(rig, credentialsOf("pap", "kim", PASSWORD)), DependencyError);
});

test("what RADIUS cannot carry is refused without asking", async () => {
    await using rig = await radiusRig([first.port], SECRET);
    const refused = await login(rig, credentialsOf("pap", "kim", "x".repeat(129)));
    assert.partialDeepStrictEqual(refused, { outcome: "reject", reason: "bad-credentials" });
});

/** A login every 20 ms. */
const LOGINS = 100;
const INTERVAL = 20;
/** Three times the two seconds that a login may take while a server is found to be dead. */
const LONGEST = 6_000;

/** Half of the logins know the password, and nobody else may be let in. */
async function assertAllServed(rig: RadiusRig, what: string): Promise<void> {
    const logins: Promise<void>[] = [];
    for (let index = 0; index < LOGINS; index += 1) {
        const isRight = index % 2 === 0;
        const begun = performance.now();
        const credentials = credentialsOf("mschapv2", "kim", isRight ? PASSWORD : "wrong");
        logins.push(
            login(rig, credentials).then((verdict) => {
                assert.equal(verdict.outcome, isRight ? "accept" : "reject", `${what}: ${JSON.stringify(verdict)}`);
                const elapsed = performance.now() - begun;
                assert.ok(elapsed < LONGEST, `${what}: a login took ${elapsed} ms`);
            }),
        );
        await delay(INTERVAL);
    }
    await Promise.all(logins);
}

test("while the first server is stopped, and when it is killed, the second one decides about every login", async () => {
    const faulty = await startFreeRadius({ users: USERS, secret: SECRET });
    try {
        await using rig = await radiusRig([faulty.port, second.port], SECRET);
        await assertAllServed(rig, "both serve");
        faulty.pause();
        await assertAllServed(rig, "stopped");
        assert.ok(rig.told.includes(`${faulty.port} dead`), rig.told.join());
        await faulty.kill();
        await assertAllServed(rig, "killed");
    } finally {
        await faulty[Symbol.asyncDispose]();
    }
});

/** An Access-Accept for everybody, as who knows the secret, or not, would write it. */
function accept(datagram: Uint8Array, secret = SECRET, authenticator?: Uint8Array): Uint8Array {
    const request = decodePacket(datagram);
    const attributes = [textAttribute(ATTRIBUTE.userName, "mallory")];
    const answered = { ...request, authenticator: authenticator ?? request.authenticator };
    return encodeReply({ code: CODE.accessAccept, attributes }, answered, Buffer.from(secret), radiusDigests);
}

const FAULTS: Readonly<Record<string, (datagram: Uint8Array, reply: (bytes: Uint8Array) => void) => void>> = {
    "a wrong Message-Authenticator": (datagram, reply) => {
        const bytes = accept(datagram);
        bytes[25] = (bytes[25] ?? 0) ^ 1;
        reply(bytes);
    },
    "an answer of who does not know the secret": (datagram, reply) => reply(accept(datagram, "guessed")),
    "an answer to another request": (datagram, reply) => reply(accept(datagram, SECRET, randomBytes(16))),
    "an answer after three seconds": (datagram, reply) => {
        setTimeout(() => reply(accept(datagram)), 3_000).unref();
    },
};

for (const [fault, script] of Object.entries(FAULTS)) {
    test(`${fault} lets nobody in, and keeps nobody out`, async () => {
        const server: UdpServer = await startUdpServer(script);
        try {
            await using rig = await radiusRig([server.port, second.port], SECRET);
            await assertAllServed(rig, fault);
            assert.ok(server.datagrams.length > 0);
        } finally {
            await server[Symbol.asyncDispose]();
        }
    });
}

const member = new AsyncDisposableStack();
after(() => member.disposeAsync());
let shared: Promise<RadiusRig> | undefined;
testAuthBackend(
    "hq",
    async () => {
        shared ??= radiusRig([second.port], SECRET).then((rig) => member.use(rig));
        return { backend: (await shared).backend, knows: { user: "kim", password: PASSWORD } };
    },
    // A server says that it refuses, and not why.
    { ignoresCase: false, unknown: "bad-credentials" },
);
