import assert from "node:assert/strict";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { CODE } from "@postern/radius";
import { ServerGroup } from "../src/server-group.ts";
import { ACCESS, isStatus, keptObserver, manualPorts, never, replyTo, settingsOf } from "./group-rig.ts";

test("the same bytes again after 0.7 s, 1.4 s, 2.8 s; then nobody has answered", async () => {
    const { clock, sent, ports, open } = manualPorts(() => undefined);
    const group = new ServerGroup(settingsOf([1]), keptObserver(), ports);
    const asked = assert.rejects(group.ask(ACCESS, { signal: never }), (error) => {
        assert.ok(error instanceof DependencyError && error.code === "RADIUS_UNANSWERED");
        return error.message.includes("127.0.0.1:1 did not answer");
    });
    await clock.advanceAsync(10_000);
    await asked;
    const requests = sent.filter(({ bytes }) => !isStatus(bytes));
    assert.deepEqual(
        requests.map(({ at }) => at),
        [0, 700, 2_100, 4_900],
    );
    for (const { bytes } of requests) assert.deepEqual(bytes, requests[0]?.bytes);
    group.stop();
    await clock.advanceAsync(0);
    assert.deepEqual([clock.pending, open()], [0, 0]);
});

test("who is overdue is dead and passed over; with an answer for its status it gets one request, then all", async () => {
    let firstLives = false;
    const { clock, sent, ports } = manualPorts(({ port, bytes, handlers }) => {
        if (port === 2 || firstLives) handlers.onMessage(replyTo(bytes));
    });
    const observer = keptObserver();
    const group = new ServerGroup(settingsOf([1, 2]), observer, ports);
    const ask = async () => (await group.ask(ACCESS, { signal: never })).server;
    const first = ask();
    await clock.advanceAsync(1_499);
    assert.equal(sent.filter(({ port }) => port === 2).length, 0);
    await clock.advanceAsync(1);
    assert.equal(await first, "127.0.0.1:2");
    assert.equal(await ask(), "127.0.0.1:2");
    firstLives = true;
    await clock.advanceAsync(7_000);
    assert.deepEqual(group.states[0], { server: "127.0.0.1:1", state: "trial" });
    assert.deepEqual(await Promise.all([ask(), ask()]), ["127.0.0.1:1", "127.0.0.1:2"]);
    assert.equal(await ask(), "127.0.0.1:1");
    const states = observer.lines.filter((line) => /:1 (dead|trial|alive)/.test(line));
    assert.deepEqual(states, ["127.0.0.1:1 dead", "127.0.0.1:1 trial", "127.0.0.1:1 alive"]);
    group.stop();
});

test("a slow first server is listened to while the second is asked", async () => {
    const { clock, ports } = manualPorts(({ port, bytes, at, handlers }) => {
        if (port === 1 && at === 0) clock.setTimeout(() => handlers.onMessage(replyTo(bytes)), 3_000);
    });
    const group = new ServerGroup(settingsOf([1, 2]), keptObserver(), ports);
    const asked = group.ask(ACCESS, { signal: never });
    await clock.advanceAsync(3_000);
    assert.equal((await asked).server, "127.0.0.1:1");
    group.stop();
});

test("without answers for its status a dead server is tried again after its dead time", async () => {
    const { clock, ports } = manualPorts(({ port, bytes, at, handlers }) => {
        if (port === 2 || (at > 20_000 && !isStatus(bytes))) handlers.onMessage(replyTo(bytes));
    });
    const group = new ServerGroup(settingsOf([1, 2]), keptObserver(), ports);
    const first = group.ask(ACCESS, { signal: never });
    await clock.advanceAsync(1_500);
    await first;
    await clock.advanceAsync(29_999);
    assert.equal((await group.ask(ACCESS, { signal: never })).server, "127.0.0.1:2");
    await clock.advanceAsync(1);
    assert.equal((await group.ask(ACCESS, { signal: never })).server, "127.0.0.1:1");
    group.stop();
});

test("interactive: one server for the whole time while it lives, another one when it is dead", async () => {
    let firstLives = true;
    const { clock, sent, ports } = manualPorts(({ port, bytes, handlers }) => {
        if (isStatus(bytes) && (port === 2 || firstLives)) handlers.onMessage(replyTo(bytes));
        if (port === 2 && !isStatus(bytes)) handlers.onMessage(replyTo(bytes));
    });
    const settings = settingsOf([1, 2], { profile: "interactive", timeout: 90_000 });
    const group = new ServerGroup(settings, keptObserver(), ports);
    const asked = group.ask(ACCESS, { signal: never });
    await clock.advanceAsync(45_000);
    const logins = () => sent.filter(({ bytes }) => !isStatus(bytes));
    assert.deepEqual(new Set(logins().map(({ port }) => port)), new Set([1]));
    assert.equal(new Set(logins().map(({ bytes }) => bytes.join())).size, 1);
    firstLives = false;
    await clock.advanceAsync(25_000);
    assert.equal((await asked).server, "127.0.0.1:2");
    group.stop();
});

test("an answer that follows another is asked for at the same server, and nowhere else", async () => {
    const { clock, sent, ports } = manualPorts(() => undefined);
    const group = new ServerGroup(settingsOf([1, 2]), keptObserver(), ports);
    const asked = assert.rejects(group.ask(ACCESS, { signal: never, server: "127.0.0.1:2" }), DependencyError);
    await clock.advanceAsync(10_000);
    await asked;
    assert.deepEqual(new Set(sent.map(({ port }) => port)), new Set([2]));
    group.stop();
});

test("more than may wait for one server go to the next; more than 256 have more source ports", async () => {
    const { clock, sent, ports, open } = manualPorts(() => undefined);
    const group = new ServerGroup(settingsOf([1, 2], { outstanding: 300 }), keptObserver(), ports);
    const end = new AbortController();
    const asked = Array.from({ length: 301 }, () => group.ask(ACCESS, { signal: end.signal }));
    await clock.advanceAsync(0);
    const byPort = Map.groupBy(sent, ({ port }) => port);
    assert.deepEqual([byPort.get(1)?.length, byPort.get(2)?.length, open()], [300, 1, 3]);
    end.abort();
    for (const one of asked) await assert.rejects(one, DependencyError);
    group.stop();
    assert.equal(open(), 0);
});

test("accounting: signed by its own authenticator, and answered by an Accounting-Response only", async () => {
    const { ports } = manualPorts(({ bytes, handlers }) => {
        handlers.onMessage(replyTo(bytes, CODE.accessAccept));
        handlers.onMessage(replyTo(bytes, CODE.accountingResponse));
    });
    const observer = keptObserver();
    const group = new ServerGroup(settingsOf([1]), observer, ports);
    const request = { code: CODE.accountingRequest, attributes: () => [], replies: [CODE.accountingResponse] };
    const { packet } = await group.ask(request, { signal: never });
    assert.equal(packet.code, CODE.accountingResponse);
    assert.deepEqual(observer.lines, ["127.0.0.1:1 ignored wrong-code", "127.0.0.1:1 reply 5"]);
    group.stop();
});
