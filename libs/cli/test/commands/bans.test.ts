import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { registryBan, type BanQuestion, type BanRecord } from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import { addBan, liftBan, listBans, parseSource } from "../../src/commands/bans.ts";
import { createInstallation, type TestInstallation } from "../test-installation.ts";

let installation: TestInstallation;
let bans: BanRecord[] = [];
let made: BanRecord;
const asked: BanQuestion[] = [];

before(async () => {
    installation = await createInstallation();
    const { bus } = installation;
    await bus.answer(bus.subjects.registry.ban, registryBan, (question) => {
        asked.push(question);
        if (question.action === "list") return Promise.resolve({ bans });
        const concerned = question.action === "add" ? [made] : bans.filter(({ source }) => source === question.source);
        return Promise.resolve({ bans: concerned });
    });
    const since = new Date().toISOString();
    const until = new Date(Date.now() + 3_599_000).toISOString();
    bans = [{ source: "192.0.2.9", reason: "guessing", by: "broker-1", since, until }];
    made = { source: "2001:db8::", reason: "by hand", by: "ops", since, until };
});
after(() => installation[Symbol.asyncDispose]());

test("bans are listed with the time that is left", async () => {
    const text = await installation.printed((output) => listBans(installation.bus, output));
    assert.match(text, /^192\.0\.2\.9\t59m5\ds\tbroker-1\tguessing\n$/);
});

test("a ban is the registry's to make", async () => {
    const text = await installation.printed((output) =>
        addBan(installation.bus, output, "2001:db8::1", 90_500, "by hand"),
    );
    assert.equal(text, "2001:db8::/64 is banned for 1m30s\n");
    const question = asked.at(-1);
    assert.ok(question?.action === "add");
    assert.deepEqual([question.source, question.seconds, question.reason], ["2001:db8::1", 91, "by hand"]);
});

test("a ban is lifted; one that is not there is not found", async () => {
    await installation.printed((output) => liftBan(installation.bus, output, "192.0.2.9"));
    assert.equal(asked.at(-1)?.action, "lift");
    await assert.rejects(
        installation.printed((output) => liftBan(installation.bus, output, "192.0.2.10")),
        (error) => error instanceof DependencyError && error.code === "CLI_NOT_FOUND",
    );
});

test("a source is taken as the tables print it", () => {
    assert.equal(parseSource("2001:db8::/64"), "2001:db8::");
    assert.equal(parseSource("2001:db8::1"), "2001:db8::1");
    assert.equal(parseSource("192.0.2.9"), "192.0.2.9");
    // Not what a ban is of: the registry says so.
    assert.equal(parseSource("2001:db8::/48"), "2001:db8::/48");
    assert.equal(parseSource("192.0.2.0/24"), "192.0.2.0/24");
});
