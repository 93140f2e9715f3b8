// A connection as an ingress has it before it knows anything of it: accepted and paused.
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { ClientOpening } from "../src/client-opening.ts";

export async function acceptConnection() {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>; // a TCP server's
    const client = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", noDelay: true }); // it listens on TCP
    client.on("error", () => undefined);
    const [socket] = await accepted;
    socket.on("error", () => undefined);
    return {
        client,
        socket,
        opening: new ClientOpening(socket),
        [Symbol.dispose]() {
            client.destroy();
            socket.destroy();
            server.close();
        },
    };
}
