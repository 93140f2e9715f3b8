// What a client has said so far.  It is kept until a worker has answered, so that it can be told to another one.
import { concatBytes } from "@postern/bytes";
import { ClientHelloError, decodeClientHello } from "@postern/client-hello";
import type { Socket } from "node:net";

/** Bytes that are kept: more than a ClientHello has, and nothing else comes before a server's answer.  Then nothing more is read. */
const MAX_KEPT = 32_768;

export class ClientOpening {
    readonly socket: Socket;
    #kept: Uint8Array = new Uint8Array(0);
    #looksLike: "part of a hello" | "hello" | "something else" = "part of a hello";

    /** `socket` is paused, and stays so but for `more` and `follow`. */
    constructor(socket: Socket) {
        this.socket = socket;
    }

    get bytes(): Uint8Array {
        return this.#kept;
    }

    /**
     * A whole ClientHello: a server that is well answers it.  Of anything else nothing can be concluded from a server that
     * stays silent or hangs up, and what is more: clients could make it do so.
     */
    get isHello(): boolean {
        return this.#looksLike === "hello";
    }

    /** Waits for more bytes. */
    more(timeout: number): Promise<"more" | "closed" | "timeout"> {
        const { socket } = this;
        return new Promise((resolve) => {
            if (socket.destroyed || socket.readableEnded) return resolve("closed");
            const finish = (outcome: "more" | "closed" | "timeout"): void => {
                clearTimeout(timer);
                unfollow();
                resolve(outcome);
            };
            const timer = setTimeout(() => finish("timeout"), timeout);
            const unfollow = this.follow(
                () => finish("more"),
                () => finish("closed"),
            );
        });
    }

    /** The first `size` bytes were for somebody else. */
    drop(size: number): void {
        this.#kept = this.#kept.subarray(size);
        this.#looksLike = "part of a hello";
        this.#look();
    }

    /** Keeps what comes and tells it, until the result is called; `onEnd` when no more will come. */
    follow(onBytes: (bytes: Uint8Array) => void, onEnd: () => void): () => void {
        const { socket } = this;
        const onData = (chunk: Uint8Array): void => {
            this.#kept = this.#kept.length === 0 ? chunk : concatBytes(this.#kept, chunk);
            this.#look();
            if (this.#kept.length >= MAX_KEPT) socket.pause();
            onBytes(chunk);
        };
        socket.on("data", onData).on("end", onEnd).on("close", onEnd);
        if (this.#kept.length < MAX_KEPT) socket.resume();
        return () => {
            socket.off("data", onData).off("end", onEnd).off("close", onEnd).pause();
        };
    }

    #look(): void {
        if (this.#looksLike !== "part of a hello") return;
        try {
            if (decodeClientHello(this.#kept) !== undefined) this.#looksLike = "hello";
        } catch (error) {
            if (!(error instanceof ClientHelloError)) throw error;
            this.#looksLike = "something else";
        }
    }
}
