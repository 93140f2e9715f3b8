// Inner TCP by iperf3: a server process for each flow, since one serves one client at a time.
import { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { InvariantError } from "@postern/errors";
import type { NetworkNamespace } from "../../test/interop/network-namespace.ts";

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

export class Iperf3 implements AsyncDisposable {
    readonly #clients: NetworkNamespace;
    readonly #servers: readonly ChildProcess[];

    private constructor(clients: NetworkNamespace, servers: readonly ChildProcess[]) {
        this.#clients = clients;
        this.#servers = servers;
    }

    /** Servers for `flows` flows at once. */
    static async start(clients: NetworkNamespace, servers: NetworkNamespace, flows: number): Promise<Iperf3> {
        const processes = Array.from({ length: flows }, (_, index) =>
            servers.spawn("iperf3", ["--server", "--forceflush", "--port", String(FIRST_PORT + index)], {
                stdio: ["ignore", "pipe", "inherit"],
            }),
        );
        for (const { stdout } of processes) {
            if (stdout === null) continue;
            await once(stdout, "data");
            stdout.resume();
        }
        return new Iperf3(clients, processes);
    }

    /** Runs as many flows at once as there are options, and resolves when all are over. */
    async run(flows: readonly FlowOptions[]): Promise<readonly FlowResult[]> {
        return Promise.all(flows.map((flow, index) => this.#runOne(flow, FIRST_PORT + index)));
    }

    async #runOne({ source, destination, direction, seconds, rate }: FlowOptions, port: number): Promise<FlowResult> {
        const line = ["--json", "--client", destination, "--bind", source, "--port", port, "--time", seconds];
        const more = [
            ...(direction === "down" ? ["--reverse"] : []),
            ...(rate === undefined ? [] : ["--bitrate", rate]),
        ];
        const client = this.#clients.spawn("iperf3", [...line, ...more].map(String), {
            stdio: ["ignore", "pipe", "inherit"],
        });
        return parseReport(client.stdout === null ? "{}" : await text(client.stdout));
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await Promise.all(
            this.#servers.map(async (server) => {
                if (server.exitCode !== null || server.signalCode !== null) return;
                const gone = once(server, "exit");
                server.kill("SIGKILL");
                await gone;
            }),
        );
    }
}
