import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { eventually, spawnBound } from "@postern/testkit";

test("the child's pid is the command's, and its exit code and output are too", async () => {
    const child = spawnBound("sh", ["-c", "echo $$; exit 3"], { stdio: ["ignore", "pipe", "inherit"] });
    const [[output], [code]] = await Promise.all([once(child.stdout ?? assert.fail(), "data"), once(child, "exit")]);
    assert.equal(Number(String(output)), child.pid);
    assert.equal(code, 3);
});

/** False also for a zombie: an orphan stays one until the init process takes notice. */
function isRunning(pid: number): boolean {
    try {
        return !/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, "latin1"));
    } catch (error) {
        // A process that is gone has no such file; anything else is a failure of the test.
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
        throw error;
    }
}

test("killing the parent with SIGKILL ends the child", async () => {
    const program = `
        import { spawnBound } from "@postern/testkit";
        console.log(spawnBound("sleep", ["600"], { stdio: "ignore" }).pid);
    `;
    const parent = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
        cwd: import.meta.dirname,
        stdio: ["ignore", "pipe", "inherit"],
    });
    const [output] = await once(parent.stdout, "data");
    const pid = Number(String(output));
    assert.equal(isRunning(pid), true);
    parent.kill("SIGKILL");
    await eventually(() => assert.equal(isRunning(pid), false), { what: "the child to be gone" });
});
