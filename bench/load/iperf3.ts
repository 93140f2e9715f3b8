// Inner TCP by iperf3: a server process for each flow.
import { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { InvariantError } from "@postern/errors";
import type { NetworkNamespace } from "../../test/interop/network-namespace.ts";
import { endProcess } from "../peers/peer.ts";
import type { Topology } from "../topology.ts";

const FIRST_PORT = 5_201;

/** `up` is from the client to the server. */
export type Direction = "up" | "down";
export const DIRECTIONS: readonly Direction[] = ["up", "down"];

export interface FlowOptions {
    readonly source: string;
    readonly destination: string;
    readonly direction: Direction;
    readonly seconds: number;
    /** Bits a second; as fast as it goes, if not given. */
    readonly rate?: number;
}

export interface FlowResult {
    /** Bits that the receiver got. */
    readonly bits: number;
    readonly seconds: number;
}

/** What `iperf3 --json` prints, as far as it is used. */
interface Report {
    readonly error?: string;
    readonly end?: { readonly sum_received?: { readonly bytes: number; readonly seconds: number } };
}

export function parseReport(output: string): FlowResult {
    const report = JSON.parse(output) as Report; // as its manual describes it
    const received = report.end?.sum_received;
    if (report.error !== undefined || received === undefined) {
        throw new InvariantError(`iperf3: ${report.error ?? "no result"}`);
    }
    return { bits: received.bytes * 8, seconds: received.seconds };
}

export class Iperf3 {
    readonly #clients: NetworkNamespace;
    readonly #servers: NetworkNamespace;

    constructor({ clients, servers }: Topology) {
        this.#clients = clients;
        this.#servers = servers;
    }

    /** Runs all flows at once, and resolves when all are over. */
    async run(flows: readonly FlowOptions[]): Promise<readonly FlowResult[]> {
        return Promise.all(flows.map((flow, index) => this.#runOne(flow, FIRST_PORT + index)));
    }

    async #runOne({ source, destination, direction, seconds, rate }: FlowOptions, port: number): Promise<FlowResult> {
        const line = ["--json", "--client", destination, "--bind", source, "--port", port, "--time", seconds];
        const more = [
            ...(direction === "down" ? ["--reverse"] : []),
            ...(rate === undefined ? [] : ["--bitrate", rate]),
        ];
        const server = await this.#serveOnce(port);
        try {
            const client = this.#clients.spawn("iperf3", [...line, ...more].map(String), {
                stdio: ["ignore", "pipe", "inherit"],
            });
            return parseReport(client.stdout === null ? "{}" : await text(client.stdout));
        } finally {
            await endProcess(server, "SIGKILL");
        }
    }

    /** One that served before may still be busy with the end of its last flow. */
    async #serveOnce(port: number): Promise<ChildProcess> {
        const server = this.#servers.spawn(
            "iperf3",
            ["--server", "--one-off", "--forceflush", "--port", String(port)],
            { stdio: ["ignore", "pipe", "inherit"] },
        );
        if (server.stdout === null) throw new InvariantError("an iperf3 without standard output");
        const ended = once(server, "exit").then(([status]) => {
            throw new InvariantError(`iperf3 does not serve port ${port}: it ended with ${status}`);
        });
        await Promise.race([once(server.stdout, "data"), ended]);
        server.stdout.resume();
        return server;
    }
}
