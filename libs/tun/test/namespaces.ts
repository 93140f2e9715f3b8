// Network namespaces for tests: what a test does to links, routes and rules ends with the test's process.
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
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
        ip("link set lo up");
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

/** Runs `ip` with the words of `command` and returns what it prints. */
export function ip(command: string): string {
    return execFileSync("ip", command.split(" "), { encoding: "utf8" });
}

/** The parsed output of `ip -j` with the words of `command`: a list of objects. */
export function ipJson(command: string): readonly Readonly<Record<string, unknown>>[] {
    const output = ip(`-j ${command}`);
    return output.trim() === "" ? [] : (JSON.parse(output) as Readonly<Record<string, unknown>>[]); // iproute2's
}

/** A second namespace, joined to this one by a veth pair with 10.200.0.1/24 here and 10.200.0.2/24 there. */
export async function openPeerNamespace(): Promise<ChildProcess> {
    const holder = spawn("unshare", ["--net", "sh", "-c", "echo ready; exec sleep infinity"], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    ip(`link add veth-here type veth peer name veth-there netns ${holder.pid}`);
    ip("address add 10.200.0.1/24 dev veth-here");
    ip("link set veth-here up");
    for (const command of ["link set lo up", "address add 10.200.0.2/24 dev veth-there", "link set veth-there up"]) {
        execFileSync("nsenter", ["-t", String(holder.pid), "-n", "ip", ...command.split(" ")]);
    }
    return holder;
}

/** Runs a program to its end without blocking the event loop: its exit status and output. */
export async function run(program: string, ...args: readonly string[]): Promise<{ code: unknown; output: string }> {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return { code, output: output + errors };
}
