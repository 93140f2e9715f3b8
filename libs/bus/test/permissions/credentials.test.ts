// Who gets in, and how those hear of it who may not do what they do.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connect } from "@nats-io/transport-node";
import { authStart, registryBan, subjectsOf, workerDescribe } from "@postern/contracts";
import { eventually, KeptLog } from "@postern/testkit";
import { connectBus, createSeed, natsPermissions, publicKeyOf, type BusUser } from "../../src/index.ts";
import { inboxPrefix } from "../../src/connect.ts";
import { SecuredServer } from "./secured-server.ts";

const subjects = subjectsOf("main");
const server = await SecuredServer.start();
after(() => server[Symbol.asyncDispose]());

test("an answerer may answer a question that took longer than the server's default, but not write to inboxes unasked", async () => {
    await using worker = await server.open("w1");
    await using registry = await server.open("r1");
    const gate = Promise.withResolvers<void>();
    await worker.bus.answer(subjects.worker("w1", "describe"), workerDescribe, async () => {
        await gate.promise;
        return { worker: "w1", epoch: 1, state: "ready", sessions: [] };
    });
    const asked = registry.bus.ask(subjects.worker("w1", "describe"), workerDescribe, {}, { timeout: 10_000 });
    gate.resolve();
    await asked;
    assert.match(
        natsPermissions("main", [
            { role: "session-worker", instance: "w1", nkeyPublic: publicKeyOf(server.seedOf("w1")) },
        ]),
        /allow_responses: \{ max: 1, expires: "10m" \}/,
    );
    await server.assertRefused("w1", { publish: [`${inboxPrefix("r1")}.anything`] });
});

test("an ask without permission says so at once instead of timing out", async () => {
    await using ingress = await server.open("i1");
    await assert.rejects(ingress.bus.ask(subjects.registry.ban, registryBan, { action: "list" }), {
        code: "BUS_UNAVAILABLE",
        message: /permission/i,
    });
    await assert.rejects(
        ingress.bus.answer(subjects.authStart, authStart, async () => ({}) as never), // never asked
        {
            code: "BUS_UNAVAILABLE",
            message: /permission/i,
        },
    );
});

test("nobody gets in without a listed nkey", async () => {
    await assert.rejects(connect({ servers: server.url, reconnect: false }), /authorization/i);
    const seedFile = await server.writeSeed("stranger", createSeed().seed);
    const log = new KeptLog();
    const giveUp = new AbortController();
    const attempt = connectBus({
        servers: [server.url],
        instance: "stranger",
        tenant: "main",
        seedFile,
        log,
        signal: giveUp.signal,
    });
    await eventually(() => assert.ok(log.find(/does not accept this instance's credentials/)));
    giveUp.abort(new Error("enough"));
    await assert.rejects(attempt);
});

test("users that cannot be told apart are refused", () => {
    const { publicKey } = createSeed();
    const user: BusUser = { role: "ingress", instance: "i1", nkeyPublic: publicKey };
    assert.throws(
        () => natsPermissions("main", [user, { ...user, role: "admin" }]),
        /i1 is there twice; i1 shares its nkey/,
    );
    assert.throws(() => natsPermissions("main", [{ ...user, instance: 'x"} ]' }]), /is no instance id/);
    assert.throws(() => natsPermissions("main", [{ ...user, nkeyPublic: "SUsecret" }]), /is not one/);
});
