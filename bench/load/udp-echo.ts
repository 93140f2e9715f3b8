// Small packets: the program beside this file, at both ends.
import type { ChildProcess } from "node:child_process";
import path from "node:path";
import { text } from "node:stream/consumers";
import { InvariantError } from "@postern/errors";
import type { NetworkNamespace } from "../../test/interop/network-namespace.ts";
import { endProcess } from "../peers/peer.ts";

const PROGRAM = path.join(import.meta.dirname, "../../.cache/bench/udp-echo");
const PORT = 5_300;
/** Datagrams on their way at once: fewer than any queue on the way holds. */
const WINDOW = 256;

export interface EchoFlow {
    readonly source: string;
    readonly destination: string;
    /** Octets of UDP data. */
    readonly size: number;
    readonly seconds: number;
}

export interface EchoResult {
    readonly sent: number;
    readonly received: number;
    readonly seconds: number;
}

export class UdpEcho implements AsyncDisposable {
    readonly #clients: NetworkNamespace;
    readonly #server: ChildProcess;

    constructor(clients: NetworkNamespace, servers: NetworkNamespace) {
        this.#clients = clients;
        this.#server = servers.spawn(PROGRAM, ["serve", String(PORT)], { stdio: ["ignore", "ignore", "inherit"] });
    }

    async run({ source, destination, size, seconds }: EchoFlow): Promise<EchoResult> {
        const line = ["load", source, destination, PORT, size, WINDOW, seconds].map(String);
        const load = this.#clients.spawn(PROGRAM, line, { stdio: ["ignore", "pipe", "inherit"] });
        const result = JSON.parse(load.stdout === null ? "" : await text(load.stdout)) as EchoResult; // of udp-echo.cc
        if (result.received === 0) throw new InvariantError(`no datagram from ${destination}`);
        return result;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await endProcess(this.#server, "SIGKILL");
    }
}
