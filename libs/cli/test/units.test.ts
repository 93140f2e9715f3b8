import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatElapsed } from "../src/units.ts";

test("elapsed time has its two largest units", () => {
    const second = 1_000;
    const cases = [
        [-5, "0s"],
        [59.9 * second, "59s"],
        [60 * second, "1m00s"],
        [3_599 * second, "59m59s"],
        [3_600 * second, "1h00m"],
        [86_399 * second, "23h59m"],
        [100 * 3_600 * second, "4d4h"],
    ] as const;
    for (const [milliseconds, text] of cases) assert.equal(formatElapsed(milliseconds), text);
});

test("bytes have the largest unit that gives a whole part", () => {
    const cases = [
        [0, "0 B"],
        [1_023, "1023 B"],
        [1_024, "1.0 KiB"],
        [1_536, "1.5 KiB"],
        [2 ** 20, "1.0 MiB"],
        [5 * 2 ** 40, "5.0 TiB"],
        [2 ** 60, "1024.0 PiB"],
    ] as const;
    for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});
