// The packet functions under the address and undefined-behaviour sanitizers, with packets and streams of every kind, hostile ones among
// them, in memory that ends where they do: no access outside, and the same results as the addon's.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer, text } from "node:stream/consumers";
import { test } from "node:test";
import fc from "fast-check";
import { deviceCases } from "../device-cases.ts";
import { encodeSplit, encodeTake, packetFunctions, SANITIZED_CASES } from "../native-cases.ts";
import { hostileSplitCases, kernelCases } from "../split-cases.ts";
import { hostileStreamCases, streamCases } from "../stream-cases.ts";

interface Case {
    readonly name: keyof typeof packetFunctions | "device" | "x";
    readonly bytes: Uint8Array;
}

function encode({ name, bytes }: Case): Buffer {
    const head = Buffer.from(`${name.charAt(0)}0000`);
    head.writeUInt32LE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
}

/** The results, and what the sanitizers said; after an error results are missing. */
async function runSanitized(cases: readonly Case[]): Promise<{ results: Buffer[]; errors: string }> {
    const child = spawn(SANITIZED_CASES, { stdio: ["pipe", "pipe", "pipe"] });
    const ended = once(child, "close");
    // A program that has ended early reads no more: its words say why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(Buffer.concat(cases.map(encode)));
    const [output, errors] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
    const results: Buffer[] = [];
    for (let at = 0, end; at < output.length; at = end) {
        end = at + 4 + output.readUInt32LE(at);
        results.push(output.subarray(at + 4, end));
    }
    return { results, errors };
}

async function compare(cases: readonly Case[]): Promise<readonly Buffer[]> {
    const { results, errors } = await runSanitized(cases);
    const stoppedAt = cases[results.length];
    const input = stoppedAt === undefined ? "" : `${stoppedAt.name} ${Buffer.from(stoppedAt.bytes).toString("hex")}`;
    assert.equal(errors, "", input);
    assert.equal(results.length, cases.length);
    for (const [at, { name, bytes }] of cases.entries())
        if (name === "split" || name === "take")
            assert.deepEqual(
                results[at],
                Buffer.from(packetFunctions[name](bytes)),
                Buffer.from(bytes).toString("hex"),
            );
    return results;
}

const splits = (arbitrary: typeof kernelCases, count: number): readonly Case[] =>
    fc.sample(arbitrary, count).map((one) => ({ name: "split", bytes: encodeSplit(one) }));
const takes = (arbitrary: typeof streamCases, count: number): readonly Case[] =>
    fc.sample(arbitrary, count).map((one) => ({ name: "take", bytes: encodeTake(one) }));
const noise = (name: Case["name"], count: number): readonly Case[] =>
    fc.sample(fc.uint8Array({ maxLength: 200 }), count).map((bytes) => ({ name, bytes }));

test("packets towards clients", async () => {
    await compare([...splits(kernelCases, 100), ...splits(hostileSplitCases, 1_000), ...noise("split", 1_000)]);
});

test("streams of clients", async () => {
    await compare([...takes(streamCases, 100), ...takes(hostileStreamCases, 200), ...noise("take", 1_000)]);
});

test("a device's batches and queues, both ways", async () => {
    const cases = fc.sample(deviceCases, 150).map((bytes): Case => ({ name: "device", bytes }));
    const results = await compare([...cases, ...noise("device", 300)]);
    const sums = results.slice(0, 150).map((result) => [result.readDoubleLE(0), result.readDoubleLE(16)]);
    for (const at of [0, 1]) {
        const packets = sums.reduce((sum, counters) => sum + (counters[at] ?? 0), 0);
        assert.ok(packets > 200, `${packets} packets ${at === 0 ? "to" : "from"} clients`);
    }
});

test("a read of one byte past a case's end would be seen", async () => {
    const { results, errors } = await runSanitized([{ name: "x", bytes: new Uint8Array(24) }]);
    assert.deepEqual(results, []);
    assert.match(errors, /heap-buffer-overflow/);
});

test("headers of no length and of every length", async () => {
    const packet = encodeSplit(fc.sample(kernelCases, 1)[0] ?? assert.fail());
    const stream = encodeTake(fc.sample(hostileStreamCases, 1)[0] ?? assert.fail());
    const cuts = Array.from({ length: 120 }, (_, size): Case[] => [
        { name: "split", bytes: packet.subarray(0, size) },
        { name: "take", bytes: stream.subarray(0, size) },
    ]);
    await compare(cuts.flat());
});
