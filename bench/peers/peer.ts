// What is measured side by side: a server, and tunnels to it that end in TUN devices of the clients' namespace.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

type PeerName = "ocserv" | "postern";

/** The largest inner packet, of every peer. */
export const TUNNEL_MTU = 1_400;

export interface Tunnels extends AsyncDisposable {
    /** The clients' inner addresses: what is sent from one of them goes through its tunnel. */
    readonly addresses: readonly string[];
    /** The server's inner address. */
    readonly gateway: string;
    /** Processes of the server that move these tunnels' packets. */
    readonly workers: readonly number[];
}

export interface Peer {
    readonly name: PeerName;
    open(count: number): Promise<Tunnels>;
}

/** Asks a process to end, and resolves when it has. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
}
