import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { silentLog } from "@postern/testkit";
import { UdpListener } from "../../src/coa/udp-listener.ts";

async function ask(port: number, host: string, text: string): Promise<string> {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    try {
        const reply = once(socket, "message", { signal: AbortSignal.timeout(3_000) }) as Promise<[Buffer]>; // of dgram
        socket.send(text, port, host);
        return (await reply)[0].toString();
    } finally {
        socket.close();
    }
}

test("each datagram is answered on the socket it came to, in IPv4 and IPv6", async () => {
    const sources: string[] = [];
    const listener = new UdpListener({
        log: silentLog,
        answer: async (datagram, source) => {
            sources.push(source);
            return Promise.resolve(Buffer.from(`${Buffer.from(datagram).toString()}!`));
        },
    });
    for (const host of ["127.0.0.1", "::1"]) await listener.listen(host, 0);
    const [four, six] = listener.addresses;
    assert.equal(await ask(four?.port ?? 0, "127.0.0.1", "four"), "four!");
    assert.equal(await ask(six?.port ?? 0, "::1", "six"), "six!");
    assert.deepEqual(sources, ["127.0.0.1", "::1"]);
    await listener.stop();
});

test("what is open at the stop is answered, what comes after it is not taken", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const listener = new UdpListener({
        log: silentLog,
        async answer() {
            arrive();
            await promise;
            return Buffer.from("late");
        },
    });
    await listener.listen("127.0.0.1", 0);
    const port = listener.addresses[0]?.port ?? 0;
    const answer = ask(port, "127.0.0.1", "x");
    await arrived;
    const stopped = listener.stop();
    resolve();
    await stopped;
    assert.equal(await answer, "late");
    await listener.listen("127.0.0.1", port);
    await listener.stop();
});

test("an address that is taken is told by its name", async () => {
    const listener = new UdpListener({ log: silentLog, answer: async () => Promise.resolve(undefined) });
    await listener.listen("127.0.0.1", 0);
    const port = listener.addresses[0]?.port ?? 0;
    await assert.rejects(listener.listen("127.0.0.1", port), {
        code: "LISTEN_FAILED",
        message: new RegExp(`127\\.0\\.0\\.1:${port}`),
    });
    await listener.stop();
});
