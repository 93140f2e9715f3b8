// What the options do, seen on real connections of a network namespace whose packets can be made to vanish.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import type { Socket } from "node:net";
import { test } from "node:test";
import { eventually, inOwnNamespace, waitForValue } from "@postern/testkit";
import { tcpInfo } from "../src/path-figures.ts";
import { tune } from "../src/tune.ts";
import { connectLoopback, filterInput, stopFiltering } from "./loopback.ts";

/** The line of `ss` about the socket on `port`. */
const timersOf = (port: number): string =>
    execFileSync("ss", ["-Htno", "state", "established", `sport = :${port}`], { encoding: "utf8" });

async function closedAfter(socket: Socket, begin: () => void): Promise<{ milliseconds: number; error: unknown }> {
    const begun = performance.now();
    let error: unknown;
    socket.on("error", (problem: NodeJS.ErrnoException) => (error = problem.code)).resume();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    begin();
    await closed;
    return { milliseconds: performance.now() - begun, error };
}

inOwnNamespace(import.meta.filename, () => {
    // The system's own patience is a quarter of an hour for data, and two hours for silence.
    test("data that a vanished peer does not acknowledge ends the connection at the user timeout", async () => {
        using pair = await connectLoopback();
        assert.deepEqual(tune(pair.far, { userTimeout: 1_500 }), { kind: "tuned" });
        filterInput(`tcp sport ${pair.port} drop`);
        try {
            const end = await closedAfter(pair.far, () => pair.far.write("anybody there?"));
            assert.equal(end.error, "ETIMEDOUT");
            assert.ok(end.milliseconds > 1_400 && end.milliseconds < 15_000, `${end.milliseconds} ms`);
        } finally {
            stopFiltering();
        }
    });

    test("a silent peer that has vanished is asked, and then given up", async () => {
        using pair = await connectLoopback();
        const keepAlive = { idle: 1_000, interval: 1_000, probes: 2 };
        assert.deepEqual(tune(pair.far, { keepAlive }), { kind: "tuned" });
        filterInput(`tcp sport ${pair.port} drop`);
        try {
            const end = await closedAfter(pair.far, () => undefined);
            assert.equal(end.error, "ETIMEDOUT");
            assert.ok(end.milliseconds > 2_500 && end.milliseconds < 15_000, `${end.milliseconds} ms`);
        } finally {
            stopFiltering();
        }
    });

    test("keepalive begins after its idle time, and what is not named stays as it was", async () => {
        using pair = await connectLoopback();
        assert.doesNotMatch(timersOf(pair.port), /keepalive/);
        tune(pair.far, { noDelay: true });
        assert.doesNotMatch(timersOf(pair.port), /keepalive/);
        tune(pair.far, { keepAlive: { idle: 3_600_000, interval: 15_000, probes: 4 } });
        assert.match(timersOf(pair.port), /timer:\(keepalive,(?:60min|59min)/);
        tune(pair.far, { noDelay: true });
        assert.match(timersOf(pair.port), /timer:\(keepalive,(?:60min|59min)/);
    });

    test("without noDelay a second small write waits for the first to be acknowledged", async () => {
        // Acknowledgements vanish, so what leaves is what leaves without them.
        const sentOf = async (noDelay: boolean): Promise<number | undefined> => {
            using pair = await connectLoopback();
            tune(pair.far, { noDelay });
            filterInput(`tcp dport ${pair.port} drop`);
            try {
                for (const text of ["one", "two", "three"]) {
                    pair.far.write(text);
                    await new Promise(setImmediate);
                }
                const { notSent } = tcpInfo(pair.far) ?? {};
                return notSent;
            } finally {
                stopFiltering();
            }
        };
        // A probe for the lost end of a flight takes new data with it; where the host is slow one may come in between.
        await eventually(async () => assert.equal(await sentOf(true), 0));
        await eventually(async () => assert.equal(await sentOf(false), "twothree".length));
    });

    test("the kernel takes no more than notSentLowat beyond what it could send", async () => {
        const unsentOf = async (options: { notSentLowat?: number }): Promise<number> => {
            using pair = await connectLoopback();
            tune(pair.far, options);
            // The other end does not read: its window closes, and the rest stays here.
            pair.near.pause();
            pair.far.write(Buffer.alloc(16_000_000));
            let [before, looks] = [0, 0];
            return await waitForValue(() => {
                const { notSent = 0 } = tcpInfo(pair.far) ?? {};
                looks = notSent > 0 && notSent === before ? looks + 1 : 0;
                before = notSent;
                return looks === 20 ? notSent : undefined;
            });
        };
        const lowat = 32_768;
        const [limited, unlimited] = [await unsentOf({ notSentLowat: lowat }), await unsentOf({})];
        // One buffer of 64 KiB is filled to its end once it has been begun.
        assert.ok(limited <= lowat + 65_536, `${limited}`);
        assert.ok(unlimited > 500_000, `${unlimited}`);
    });

    test("what came and was not read is bounded by receiveBuffer", async () => {
        using pair = await connectLoopback();
        const receiveBuffer = 65_536;
        assert.deepEqual(tune(pair.near, { receiveBuffer }), { kind: "tuned" });
        // Reads nothing from the kernel beyond its own buffer.
        pair.near.pause();
        pair.far.write(Buffer.alloc(16_000_000));
        let [before, looks] = [0, 0];
        const taken = await waitForValue(() => {
            const { bytesAcked = 0 } = tcpInfo(pair.far) ?? {};
            looks = bytesAcked > 0 && bytesAcked === before ? looks + 1 : 0;
            before = bytesAcked;
            return looks === 20 ? bytesAcked : undefined;
        });
        const kept = taken - pair.near.bytesRead;
        assert.ok(kept > 0 && kept <= 2 * receiveBuffer, `${kept}`);
    });

    test("without the addon Node sets what it can, and what is missing is said", async () => {
        using pair = await connectLoopback();
        const without = { kind: "unavailable", reason: "not built" } as const;
        const keepAlive = { idle: 3_600_000, interval: 15_000, probes: 4 };
        assert.deepEqual(tune(pair.far, { noDelay: true, keepAlive }, without), { kind: "tuned" });
        assert.match(timersOf(pair.port), /timer:\(keepalive,(?:60min|59min)/);
        assert.deepEqual(tune(pair.far, { userTimeout: 1_000 }, without), { kind: "limited", reason: "not built" });
    });

    test("what the kernel refuses is named, and a closed socket is nobody's fault", async () => {
        using pair = await connectLoopback();
        const refused = tune(pair.far, { keepAlive: { idle: 1_000, interval: 1_000, probes: 1_000 } });
        assert.deepEqual(refused, { kind: "limited", reason: "the kernel refuses an option: EINVAL" });
        pair.far.destroy();
        assert.deepEqual(tune(pair.far, { noDelay: true }), { kind: "closed" });
    });
});
