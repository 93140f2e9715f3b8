// A UDP server on the loopback that answers as a test's script says: wrongly, late, twice, or not at all.
import { createSocket } from "node:dgram";
import { once } from "node:events";

type Script = (datagram: Uint8Array, reply: (bytes: Uint8Array) => void) => void;

export interface UdpServer extends AsyncDisposable {
    /** On 127.0.0.1. */
    readonly port: number;
    /** Everything that came, in order. */
    readonly datagrams: readonly Uint8Array[];
    /** What it does from now on. */
    follow(script: Script): void;
}

export async function startUdpServer(script: Script): Promise<UdpServer> {
    const socket = createSocket("udp4");
    const datagrams: Uint8Array[] = [];
    let current = script;
    let open = true;
    socket.on("message", (datagram, { port, address }) => {
        datagrams.push(datagram);
        current(datagram, (bytes) => {
            if (open) socket.send(bytes, port, address);
        });
    });
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return {
        port: socket.address().port,
        datagrams,
        follow: (next) => void (current = next),
        async [Symbol.asyncDispose]() {
            if (!open) return;
            open = false;
            const closed = once(socket, "close");
            socket.close();
            await closed;
        },
    };
}
