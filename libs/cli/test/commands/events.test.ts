import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ConfigError } from "@postern/errors";
import { eventually } from "@postern/testkit";
import { recordAction } from "../../src/admin-action.ts";
import { describeEvent, tailEvents } from "../../src/commands/events.ts";
import { Output } from "../../src/output.ts";
import { createInstallation, type TestInstallation } from "../test-installation.ts";

let installation: TestInstallation;
before(async () => (installation = await createInstallation()));
after(() => installation[Symbol.asyncDispose]());

test("events are followed until the interruption", async () => {
    const { bus } = installation;
    await recordAction(bus, { action: "before", target: "kim" });
    const lines: string[] = [];
    const output = new Output({ write: (text) => lines.push(text) }, false);
    const interrupt = new AbortController();
    const following = tailEvents(bus, output, { kind: "admin", about: "kim", since: 60_000 }, interrupt.signal);
    await eventually(() => assert.equal(lines.length, 1));
    await recordAction(bus, { action: "user.add", target: "ola" });
    await recordAction(bus, { action: "user.add", target: "kim" });
    await eventually(() => assert.equal(lines.length, 2));
    assert.match(lines[1] ?? "", /^20\S+Z admin\.action kim admin action=user\.add by=\S+@\S+\n$/);
    interrupt.abort();
    await following;
});

test("a kind that does not exist is refused with those that do", async () => {
    const output = new Output({ write: () => undefined }, false);
    await assert.rejects(
        tailEvents(installation.bus, output, { kind: "sesion" }, new AbortController().signal),
        (error) => error instanceof ConfigError && error.message.includes("session, auth"),
    );
});

test("a line names the event, what it is about, who says it, and its data", () => {
    const line = describeEvent({
        specversion: "1.0",
        id: "x",
        source: "postern/main/session-worker/worker-1",
        type: "postern.session.ended.v1",
        subject: "session01",
        time: "2026-01-31T12:00:00.000Z",
        datacontenttype: "application/json",
        instance: "worker-1",
        data: { session: "session01", principal: "kim with blank", reason: "idle-timeout", counters: { bytesIn: 1 } },
    });
    assert.equal(
        line,
        '2026-01-31T12:00:00.000Z session.ended session01 worker-1 principal="kim with blank" reason=idle-timeout counters={"bytesIn":1}',
    );
});
