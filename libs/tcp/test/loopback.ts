// Two ends of a TCP connection over loopback, and what the kernel does to its packets.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface LoopbackPair {
    readonly near: Socket;
    readonly far: Socket;
    readonly port: number;
    [Symbol.dispose](): void;
}

/** `near` dialled, `far` was accepted on `port`; `far` is paused. */
export async function connectLoopback(): Promise<LoopbackPair> {
    const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // it listens on TCP
    const accepted = once(server, "connection") as Promise<[Socket]>; // a TCP server's
    const near = connect(port, "127.0.0.1");
    const [far] = await accepted;
    if (near.connecting) await once(near, "connect");
    server.close();
    for (const socket of [near, far]) socket.on("error", () => undefined);
    return {
        near,
        far,
        port,
        [Symbol.dispose]() {
            near.destroy();
            far.destroy();
        },
    };
}

/** Adds an nftables rule for every packet that arrives in this network namespace: what is dropped here is lost on its way. */
export function filterInput(rule: string): void {
    const table = "add table inet test\nadd chain inet test in { type filter hook input priority 0; }";
    execFileSync("nft", ["-f", "-"], { input: `${table}\nadd rule inet test in ${rule}\n` });
}

export function stopFiltering(): void {
    execFileSync("nft", ["delete", "table", "inet", "test"]);
}
