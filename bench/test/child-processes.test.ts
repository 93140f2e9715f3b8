import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { eventually } from "@postern/testkit";
import { childrenNamed, parseIdentity } from "../child-processes.ts";

test("who a process is, is read around its name", () => {
    assert.deepEqual(parseIdentity("28239 (ocserv-worker) S 28216 28216 1 0"), {
        pid: 28_239,
        name: "ocserv-worker",
        parent: 28_216,
    });
    assert.deepEqual(parseIdentity("7 (x (y) z) R 1 1"), { pid: 7, name: "x (y) z", parent: 1 });
});

test("children are found by name, and only one's own", async () => {
    const child = spawn("sleep", ["60"]);
    await eventually(() => assert.deepEqual(childrenNamed(process.pid, "sleep"), [child.pid]));
    assert.deepEqual(childrenNamed(process.pid, "slee"), []);
    assert.deepEqual(childrenNamed(1, "sleep").includes(child.pid ?? 0), false);
    child.kill();
    await once(child, "exit");
    assert.deepEqual(childrenNamed(process.pid, "sleep"), []);
});
