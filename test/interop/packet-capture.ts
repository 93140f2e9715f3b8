// Packets on an interface of a namespace, as a file for tshark.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createTemporaryDirectory, eventually } from "@postern/testkit";
import type { NetworkNamespace } from "./network-namespace.ts";

/** What `ping -p` repeats in a packet. */
const PATTERN_SIZE = 16;

export interface PacketCapture extends AsyncDisposable {
    /** A pcapng file; complete after `stop`. */
    readonly file: string;
    /** Resolves when everything that passed the interface before the call is in the file. */
    stop(): Promise<void>;
}

/** Starts a capture; resolves when packets are being recorded. */
export async function startCapture(namespace: NetworkNamespace, device: string): Promise<PacketCapture> {
    await using made = new AsyncDisposableStack();
    const directory = made.use(await createTemporaryDirectory("capture"));
    const file = join(directory.path, "capture.pcapng");
    const dumpcap = namespace.spawn("dumpcap", ["-i", device, "-w", file], { stdio: ["ignore", "ignore", "pipe"] });
    let messages = "";
    dumpcap.stderr?.setEncoding("utf8").on("data", (text: string) => (messages += text));
    const ended = once(dumpcap, "exit");
    made.defer(async () => {
        dumpcap.kill("SIGKILL");
        await ended;
    });
    // It names the file when it has opened the device.
    await eventually(() => messages.includes("File: ") || dumpcap.exitCode !== null, { what: "dumpcap to start" });
    if (dumpcap.exitCode !== null) throw new Error(`dumpcap ended with ${dumpcap.exitCode}: ${messages}`);
    const resources = made.move();
    return {
        file,
        stop: async () => {
            await markEnd(namespace, device, file);
            dumpcap.kill("SIGINT");
            await ended;
        },
        [Symbol.asyncDispose]: () => resources.disposeAsync(),
    };
}

/**
 * The kernel hands packets to dumpcap in batches, and what is in an unfinished batch is lost when it stops.  So the last
 * packet is one of ours, a ping that nobody answers, and the capture goes on until it is in the file.
 */
async function markEnd(namespace: NetworkNamespace, device: string, file: string): Promise<void> {
    const pattern = randomBytes(PATTERN_SIZE);
    const ping = ["-c", "1", "-W", "0.01", "-b", "-I", device, "-p", pattern.toString("hex"), "255.255.255.255"];
    await namespace.run("sh", "-c", 'ping "$@" || true', "sh", ...ping);
    await eventually(async () => (await readFile(file)).includes(pattern), { every: 50, what: "the last packet" });
}
