import assert from "node:assert/strict";
import { test } from "node:test";
import { DIAL_STEPS, openMany, SstpClient, type TlsSession } from "@postern/sstp-client";
import { optionsFor, startServer } from "./loopback.ts";
import { PASSWORD, SERVER_ADDRESS } from "./scripted-server.ts";

test("opens many at a steady rate, and reports who did not get in", async () => {
    const server = await startServer();
    const report = await openMany({
        count: 20,
        rate: 200,
        client: (index) => optionsFor(server, { user: `u${index}`, password: index % 5 === 0 ? "wrong" : PASSWORD }),
    });
    assert.equal(report.clients.length, 16);
    assert.deepEqual(
        report.failures.map(({ index, error }) => [index, error.step]).sort((a, b) => Number(a[0]) - Number(b[0])),
        [0, 5, 10, 15].map((index) => [index, "auth"]),
    );
    assert.ok(report.duration >= 95, "nineteen intervals of five milliseconds");
    for (const step of DIAL_STEPS) {
        const { p50 = 0, p95 = 0, max = 0 } = report.timings[step] ?? {};
        assert.ok(p50 > 0 && p50 <= p95 && p95 <= max, step);
    }
    assert.equal(new Set(report.clients.map(({ address }) => address)).size, 16);
    await Promise.all(report.clients.map((client) => client.ping(SERVER_ADDRESS)));
    await Promise.all(report.clients.map((client) => client.disconnect()));
});

test("of nobody there are no timings", async () => {
    const report = await openMany({ count: 0, rate: 1, client: () => assert.fail("nobody is to be opened") });
    assert.deepEqual([report.clients, report.failures, report.timings], [[], [], {}]);
});

test("those who have a ticket come back by it", async () => {
    const server = await startServer();
    const tickets: TlsSession[] = [];
    const first = await SstpClient.connect(optionsFor(server, { onTlsSession: (ticket) => tickets.push(ticket) }));
    assert.equal(first.isResumed, false);
    await first.disconnect();
    const [ticket] = tickets;
    assert.ok(ticket !== undefined && ticket.certificate.length > 0);
    const report = await openMany({
        count: 4,
        rate: 200,
        client: (index) =>
            optionsFor(server, index === 0 ? {} : { resumes: ticket, onTlsSession: () => assert.fail("none is due") }),
    });
    assert.equal(report.resumed, 3);
    assert.deepEqual(report.failures, []);
    await Promise.all(report.clients.map((client) => client.disconnect()));
});
