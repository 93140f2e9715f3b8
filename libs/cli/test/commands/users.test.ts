import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAccount, verifyPassword } from "@postern/accounts";
import { BUCKETS, encodeKey, type CloudEvent } from "@postern/contracts";
import { ConfigError, DependencyError } from "@postern/errors";
import { eventually } from "@postern/testkit";
import { addUser, listUsers, removeUser, setDisabled, setPassword, type UserPorts } from "../../src/commands/users.ts";
import type { Output } from "../../src/output.ts";
import { createInstallation, type TestInstallation } from "../test-installation.ts";

let installation: TestInstallation;
before(async () => (installation = await createInstallation()));
after(() => installation[Symbol.asyncDispose]());

const ports = (output: Output): UserPorts => ({ ...installation, output });
const add = (name: string, password = "s3cret", tell = false): Promise<string> =>
    installation.printed((output) => addUser(ports(output), { name, password, groups: [], tell }));

async function stored(user: string) {
    const entry = await (await installation.bus.bucket(BUCKETS.accounts)).get(encodeKey(user));
    assert.ok(entry);
    return openAccount(installation.cipher, entry.value);
}

test("an added user can be verified by what is stored, under the canonical name", async () => {
    assert.equal(await add("Kim"), "user kim added\n");
    const account = await stored("kim");
    assert.equal(await verifyPassword(account.password, Buffer.from("s3cret")), true);
    assert.equal(await verifyPassword(account.password, Buffer.from("secret")), false);
    assert.equal(account.disabled, false);
});

test("options become groups and policy", async () => {
    const options = { groups: ["staff", "ops"], pool: "vip", address: "10.91.0.77", maxSessions: 2 };
    await installation.printed((output) =>
        addUser(ports(output), { name: "ola", password: "x", tell: false, ...options }),
    );
    const { groups, policy } = await stored("ola");
    assert.deepEqual(groups, ["staff", "ops"]);
    assert.deepEqual(policy, { pool: "vip", framedAddress: "10.91.0.77", maxSessions: 2 });
});

test("a user who exists is not overwritten", async () => {
    await add("max");
    await assert.rejects(
        add("MAX", "other"),
        (error) => error instanceof DependencyError && error.code === "CLI_ALREADY_THERE",
    );
    assert.equal(await verifyPassword((await stored("max")).password, Buffer.from("s3cret")), true);
});

test("a name that no user can have is refused before anything is stored", async () => {
    await assert.rejects(add("a\u0000b"), (error) => error instanceof ConfigError && error.code === "CLI_USAGE");
});

test("a generated password is told, a given one is not", async () => {
    assert.equal(await add("ida", "generated1", true), "user ida added: generated1\n");
    const told = await installation.json((output) =>
        addUser(ports(output), { name: "ivo", password: "given", groups: [], tell: false }),
    );
    assert.deepEqual(told, { user: "ivo" });
});

test("a changed password replaces the old one", async () => {
    await add("eva");
    await installation.printed((output) => setPassword(ports(output), "eva", { password: "new one", tell: false }));
    const account = await stored("eva");
    assert.equal(await verifyPassword(account.password, Buffer.from("new one")), true);
    assert.equal(await verifyPassword(account.password, Buffer.from("s3cret")), false);
});

test("a disabled user is kept, and enabled again", async () => {
    await add("tom");
    await installation.printed((output) => setDisabled(ports(output), "tom", true));
    assert.equal((await stored("tom")).disabled, true);
    await installation.printed((output) => setDisabled(ports(output), "tom", false));
    assert.equal((await stored("tom")).disabled, false);
});

test("a user who does not exist is not found", async () => {
    const notFound = (error: unknown): boolean => error instanceof DependencyError && error.code === "CLI_NOT_FOUND";
    const none = (act: (output: Output) => Promise<void>): Promise<void> =>
        assert.rejects(installation.printed(act), notFound);
    await none((output) => setPassword(ports(output), "nobody", { password: "x", tell: false }));
    await none((output) => setDisabled(ports(output), "nobody", true));
    await none((output) => removeUser(ports(output), "nobody"));
});

test("a removed user is gone", async () => {
    await add("leo");
    await installation.printed((output) => removeUser(ports(output), "leo"));
    await assert.rejects(stored("leo"));
    assert.equal(await add("leo"), "user leo added\n");
});

test("a password is kept for CHAP where that is asked for, also when it changes, until it is not", async () => {
    const secret = "a new password";
    await installation.printed((output) =>
        addUser(ports(output), { name: "ada", password: secret, reversible: true, groups: [], tell: false }),
    );
    assert.equal((await stored("ada")).reversible, secret);
    const change = (password: string, reversible?: boolean): Promise<string> =>
        installation.printed((output) => setPassword(ports(output), "ada", { password, reversible, tell: false }));
    await change("another password");
    assert.equal((await stored("ada")).reversible, "another password");
    await change("a third one", false);
    assert.equal((await stored("ada")).reversible, undefined);
    await change("a fourth one");
    assert.equal((await stored("ada")).reversible, undefined);
});

test("the list has every user and no hash", async () => {
    await add("zoe");
    const text = await installation.printed((output) => listUsers(ports(output)));
    assert.match(text, /^zoe\tenabled\t-\t-\t-\t20/m);
    const list = await installation.json((output) => listUsers(ports(output)));
    assert.ok(Array.isArray(list));
    const zoe: unknown = list.find((one: { user: string }) => one.user === "zoe");
    assert.deepEqual(Object.keys(zoe ?? {}).toSorted(), [
        "disabled",
        "groups",
        "passwordChangedAt",
        "policy",
        "reversible",
        "user",
    ]);
});

test("what was done is in the stream before the command has ended", async () => {
    await add("ben");
    const seen: CloudEvent[] = [];
    const { bus } = installation;
    const tail = await bus.tail(bus.subjects.eventFilter("admin", "action"), { from: 1 }, (event) => seen.push(event));
    const event = await eventually(() => {
        const found = seen.find(({ subject }) => subject === "ben");
        assert.ok(found);
        return found;
    });
    assert.deepEqual([event.sequence, (event.data as { action: string }).action], [1, "user.add"]); // an admin.action's
    assert.equal(event.id, `${event.source}/${event.epoch}/1`);
    await tail.stop();
});
