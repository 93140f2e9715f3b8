// What has to be true of a transfer, and of the tunnel that it went through.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Direction, Family, TransferBed } from "./transfer-bed.ts";

/** Milliseconds for which no byte may arrive: several timeouts of TCP in a row, as a lossy wire can cause them; a stall lasts longer. */
const LONGEST_PAUSE = 10_000;
/** Of what the tunnel carried, the share that may be headers and repeats. */
const OVERHEAD = 0.15;

/** Of the packets to the client, the share that may find its queue full: a client that is short of processor time reads slowly. */
const DROPPED = 0.3;
/** Packets. */
const FEW = 100;

/** Sends `bytes` bytes one way: they arrive as they were sent, although packets were lost on every wire, and never stand still. */
export async function assertArrives(
    context: TestContext,
    bed: TransferBed,
    family: Family,
    direction: Direction,
    bytes: number,
): Promise<void> {
    const { received, sha256, seconds, lost } = await bed.send(family, direction, bytes);
    const megabytes = (bytes / 1e6 / seconds).toFixed(1);
    const pause = `longest pause ${received.longestPause.toFixed(0)} ms`;
    context.diagnostic(
        `${bytes / 1e6} MB in ${seconds.toFixed(1)} s, ${megabytes} MB/s, ${pause}, lost ${lost.outer} outside, ${lost.inner} inside`,
    );
    assert.equal(received.bytes, bytes);
    assert.equal(received.sha256, sha256);
    assert.ok(lost.outer > 0 && lost.inner > 0, "no packet was lost");
    assert.ok(received.longestPause < LONGEST_PAUSE, pause);
}

/** The session is still the one of `sessions`, and no packet of the transfers was dropped but where a queue was full. */
export async function assertUnharmed(
    context: TestContext,
    bed: TransferBed,
    sessions: readonly string[],
    { down, up }: Readonly<Record<Direction, number>>,
): Promise<void> {
    assert.ok(bed.isOpen, "the client has lost its session");
    assert.equal(sessions.length, 1);
    assert.deepEqual(await bed.sessions(), sessions);
    const { "queue-full": queueFull = NaN, ...drops } = await bed.counter("session_drops_total", "reason");
    for (const [reason, packets] of Object.entries(drops)) assert.equal(packets, 0, reason);
    const {
        "no-session": nobodys = NaN,
        "in-queue-full": kernelFull = NaN,
        ...uplinkDrops
    } = await bed.counter("uplink_drops_total", "reason");
    // Multicasts of the host's own IPv6.
    assert.ok(nobodys < FEW, `${nobodys} packets for nobody`);
    for (const [reason, packets] of Object.entries(uplinkDrops)) assert.equal(packets, 0, reason);
    const carried = await bed.counter("bytes_total", "direction");
    const packets = await bed.counter("packets_total", "direction");
    context.diagnostic(
        `carried ${JSON.stringify({ bytes: carried, packets })}, ${queueFull} packets dropped at full queues, ${kernelFull} before the worker`,
    );
    for (const [name, bytes] of [
        ["in", up],
        ["out", down],
    ] as const) {
        const extra = (carried[name] ?? 0) - bytes;
        // Acknowledgements of what goes the other way are in it, too.
        assert.ok(extra > 0 && extra < OVERHEAD * (up + down), `${name}: ${carried[name]} bytes`);
    }
    // A worker that waits for a core has the kernel's queue in front of it.
    const dropped = queueFull + kernelFull;
    assert.ok(dropped < DROPPED * (packets["out"] ?? 0), `${dropped} packets dropped at full queues`);
}
