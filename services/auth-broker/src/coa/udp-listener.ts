// UDP sockets whose datagrams are answered from the address that they were sent to.
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { DependencyError } from "@postern/errors";
import type { Logger } from "@postern/telemetry";

export interface UdpListenerPorts {
    readonly log: Pick<Logger, "warn">;
    /** The datagram to answer with, or `undefined`.  Must not reject. */
    readonly answer: (datagram: Uint8Array, source: string) => Promise<Uint8Array | undefined>;
}

export class UdpListener {
    readonly #ports: UdpListenerPorts;
    readonly #sockets: Socket[] = [];
    readonly #open = new Set<Promise<void>>();

    constructor(ports: UdpListenerPorts) {
        this.#ports = ports;
    }

    /** Where it listens. */
    get addresses(): readonly { readonly address: string; readonly port: number }[] {
        return this.#sockets.map((socket) => socket.address());
    }

    /** Rejects with `LISTEN_FAILED`. */
    async listen(host: string, port: number): Promise<void> {
        const socket = createSocket(isIPv6(host) ? { type: "udp6", ipv6Only: true } : { type: "udp4" });
        try {
            socket.bind(port, host);
            await once(socket, "listening");
        } catch (cause) {
            socket.close();
            throw new DependencyError("LISTEN_FAILED", `UDP ${host}:${port} cannot be listened on`, { cause });
        }
        this.#sockets.push(socket);
        socket.on("error", ({ message }) => this.#ports.log.warn({ host, port, message }, "a UDP socket failed"));
        socket.on("message", (datagram, sender) => {
            const work = this.#answer(socket, datagram, sender).finally(() => this.#open.delete(work));
            this.#open.add(work);
        });
    }

    /** Takes nothing more, and resolves when what is open has been answered. */
    async stop(): Promise<void> {
        for (const socket of this.#sockets) socket.removeAllListeners("message");
        await Promise.all(this.#open);
        for (const socket of this.#sockets.splice(0)) socket.close();
    }

    async #answer(socket: Socket, datagram: Uint8Array, { address, port }: RemoteInfo): Promise<void> {
        // A link-local sender's address has its interface behind a `%`.
        const reply = await this.#ports.answer(datagram, address.replace(/%.*$/, ""));
        if (reply === undefined) return;
        const { promise, resolve } = Promise.withResolvers<Error | null>();
        socket.send(reply, port, address, resolve);
        const error = await promise;
        if (error !== null) this.#ports.log.warn({ address, port, message: error.message }, "an answer was not sent");
    }
}
