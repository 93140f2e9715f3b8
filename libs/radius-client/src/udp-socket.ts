// A UDP socket connected to one server: nobody else's datagrams reach it, and the kernel tells when the server's port is closed.
import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns";
import type { ClientSocket, ServerAddress, SocketHandlers } from "./client-socket.ts";

type State =
    | { readonly kind: "connecting"; readonly waiting: Uint8Array[]; socket?: Socket }
    | { readonly kind: "connected"; readonly socket: Socket }
    | { readonly kind: "closed" };

export class UdpClientSocket implements ClientSocket {
    readonly isReliable = false;
    /** Nobody knows of UDP. */
    readonly wasConnected = false;
    readonly #handlers: SocketHandlers;
    #state: State = { kind: "connecting", waiting: [] };

    constructor({ host, port }: ServerAddress, handlers: SocketHandlers) {
        this.#handlers = handlers;
        lookup(host, (error, address, family) => {
            if (error === null) this.#connect(address, family, port);
            else this.#fail(error);
        });
    }

    send(bytes: Uint8Array): void {
        const state = this.#state;
        if (state.kind === "connecting") state.waiting.push(bytes);
        else if (state.kind === "connected") state.socket.send(bytes, (error) => error !== null && this.#fail(error));
    }

    close(): void {
        const state = this.#state;
        if (state.kind === "closed") return;
        this.#enter({ kind: "closed" });
        state.socket?.close();
    }

    #connect(address: string, family: number, port: number): void {
        const state = this.#state;
        if (state.kind !== "connecting") return;
        const socket = createSocket(family === 6 ? "udp6" : "udp4").unref();
        state.socket = socket;
        socket.on("error", (error) => this.#fail(error));
        socket.on("message", (bytes) => this.#state.kind !== "closed" && this.#handlers.onMessage(bytes));
        socket.connect(port, address, () => {
            if (this.#state.kind === "closed") return;
            this.#enter({ kind: "connected", socket });
            for (const bytes of state.waiting) this.send(bytes);
        });
    }

    #enter(state: State): void {
        this.#state = state;
    }

    #fail(error: Error): void {
        if (this.#state.kind === "closed") return;
        this.close();
        this.#handlers.onError(error);
    }
}
