import assert from "node:assert/strict";
import { test } from "node:test";
import {
    parseHostTime,
    parseProcessTime,
    parseResident,
    processTime,
    residentBytes,
    startCpuAccount,
} from "../cpu-account.ts";

test("a process's time is its user and system time, whatever its name", () => {
    const rest = "S 1 9 9 0 -1 4194560 1 2 3 4 1234 66 7 8 20 0 11 0 5 6 7";
    assert.equal(parseProcessTime(`42 (node) ${rest}`), 13);
    assert.equal(parseProcessTime(`42 (a) b (c 5) ${rest}`), 13);
    assert.throws(() => parseProcessTime("42 (node) S 1"), { code: "INVARIANT" });
});

test("the host's time is all but idle, waiting and stolen", () => {
    const text = "cpu  100 20 300 99999 88888 4 50 77777 30 2\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 1 2\n";
    assert.deepEqual(parseHostTime(text), { busy: 4.74, softirq: 0.5 });
    assert.throws(() => parseHostTime("intr 5"), { code: "INVARIANT" });
});

test("an account holds what was used between its beginning and its end", () => {
    const account = startCpuAccount({ own: [process.pid], nobody: [] });
    const before = processTime(process.pid);
    while (processTime(process.pid) - before < 0.2);
    const { groups, host, elapsed } = account();
    assert.ok(groups.own >= 0.2 && groups.own <= elapsed + 0.1, `${groups.own} s in ${elapsed} s`);
    assert.equal(groups.nobody, 0);
    assert.ok(host.busy > 0.1, "the host's clock ticks more coarsely");
});

test("resident memory is VmRSS", () => {
    assert.equal(parseResident("Name:\tnode\nVmHWM:\t 9 kB\nVmRSS:\t   2048 kB\nRssAnon:\t 1 kB\n"), 2_097_152);
    assert.throws(() => parseResident("Name:\tkthreadd\n"), { code: "INVARIANT" });
    assert.ok(residentBytes(process.pid) > 10_000_000);
});
