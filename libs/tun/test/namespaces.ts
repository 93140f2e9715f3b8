// Links and programs of the network namespace that a test has, and of a second one beside it.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

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
