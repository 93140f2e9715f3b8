// Tests in a network namespace: what they do to links, routes and rules ends with them.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { test } from "node:test";

const MARK = "POSTERN_TEST_NAMESPACE";

/**
 * Runs the tests that `define` registers in a new process with a network namespace of its own (it takes root, /dev/net/tun,
 * iproute2 and nftables: where something is missing this fails).  Called at the top of the test file `file`.
 */
export function inOwnNamespace(file: string, define: () => void): void {
    if (process.env[MARK] === file) {
        execFileSync("ip", ["link", "set", "lo", "up"]);
        define();
        return;
    }
    test("in a network namespace of its own", async () => {
        assert.ok(
            existsSync("/dev/net/tun"),
            "/dev/net/tun is missing: modprobe tun, or map the device into the container",
        );
        // NODE_TEST_CONTEXT would make the child report in a binary format.
        const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
        const child = spawn("unshare", ["--net", process.execPath, "--test-reporter=spec", file], {
            env: { ...environment, [MARK]: file },
            stdio: ["ignore", "pipe", "pipe"],
        });
        const [output, errors, [code]] = await Promise.all([
            text(child.stdout),
            text(child.stderr),
            once(child, "close"),
        ]);
        assert.equal(code, 0, `${output}${errors}`);
        assert.match(output, /pass [1-9]/);
    });
}
