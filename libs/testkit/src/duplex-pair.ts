// Two connected sockets without a network: what one end writes, the other reads, at the pace of the reader.
import { Duplex, type DuplexOptions } from "node:stream";

export interface DuplexPairOptions {
    /** Bytes each direction buffers before `write` returns false; default 16 KiB. */
    readonly highWaterMark?: number;
    /** As in `net.createServer`: when false (default) an end closes its own direction once the peer has closed its. */
    readonly allowHalfOpen?: boolean;
    /** The address that `right` sees as its peer: the "client" is `left`. */
    readonly clientAddress?: string;
    readonly clientPort?: number;
    readonly serverAddress?: string;
    readonly serverPort?: number;
}

interface Endpoint {
    readonly address: string;
    readonly port: number;
}

/** One end of a pair.  Has the members of `net.Socket` that servers use besides those of a stream. */
export class MemorySocket extends Duplex {
    readonly encrypted = false;
    readonly localAddress: string;
    readonly localPort: number;
    readonly remoteAddress: string;
    readonly remotePort: number;
    readonly remoteFamily: "IPv4" | "IPv6";
    bytesRead = 0;
    bytesWritten = 0;
    #peer: MemorySocket | undefined;
    /** Completes the write of the peer whose bytes this end has not yet taken up. */
    #peerWrite: (() => void) | undefined;
    #idle: { milliseconds: number; timer: NodeJS.Timeout | undefined } = { milliseconds: 0, timer: undefined };

    constructor(local: Endpoint, remote: Endpoint, options: DuplexOptions) {
        super(options);
        this.localAddress = local.address;
        this.localPort = local.port;
        this.remoteAddress = remote.address;
        this.remotePort = remote.port;
        this.remoteFamily = remote.address.includes(":") ? "IPv6" : "IPv4";
    }

    /** Called once by `duplexPair`. */
    connectTo(peer: MemorySocket): void {
        this.#peer = peer;
    }

    override _read(): void {
        const complete = this.#peerWrite;
        this.#peerWrite = undefined;
        complete?.();
    }

    override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
        this.bytesWritten += chunk.length;
        this.#touch();
        const peer = this.#peer;
        if (peer === undefined || peer.destroyed) {
            callback();
            this.#fail("EPIPE", "the other end is gone");
        } else {
            peer.#receive(chunk, callback);
        }
    }

    override _final(callback: () => void): void {
        // As in TCP the end of the stream comes after the bytes: `_final` runs when all writes are complete.
        if (this.#peer?.readableEnded === false) this.#peer.push(null);
        callback();
    }

    override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
        clearTimeout(this.#idle.timer);
        this.#peerWrite?.();
        this.#peerWrite = undefined;
        const peer = this.#peer;
        if (peer !== undefined && !peer.destroyed && !peer.readableEnded) process.nextTick(() => peer.push(null));
        callback(error);
    }

    /** Ends the connection as a crashed peer does: the other end gets `ECONNRESET`. */
    resetAndDestroy(): this {
        const peer = this.#peer;
        if (peer !== undefined && !peer.destroyed) peer.#fail("ECONNRESET", "the other end reset the connection");
        return this.destroy();
    }

    destroySoon(): void {
        if (this.writableFinished) this.destroy();
        else this.end(() => this.destroy());
    }

    setTimeout(milliseconds: number, callback?: () => void): this {
        clearTimeout(this.#idle.timer);
        this.#idle = { milliseconds, timer: undefined };
        if (callback !== undefined) this.once("timeout", callback);
        this.#touch();
        return this;
    }

    setNoDelay(): this {
        return this;
    }

    setKeepAlive(): this {
        return this;
    }

    ref(): this {
        return this;
    }

    unref(): this {
        return this;
    }

    #receive(chunk: Buffer, taken: () => void): void {
        this.bytesRead += chunk.length;
        this.#touch();
        // A copy, because a real network does not let the reader see what the writer does to its buffer afterwards.
        if (this.push(Buffer.from(chunk))) process.nextTick(taken);
        else this.#peerWrite = taken;
    }

    #touch(): void {
        clearTimeout(this.#idle.timer);
        if (this.#idle.milliseconds === 0 || this.destroyed) return;
        this.#idle.timer = setTimeout(() => this.emit("timeout"), this.#idle.milliseconds);
        this.#idle.timer.unref();
    }

    #fail(code: "EPIPE" | "ECONNRESET", detail: string): void {
        this.destroy(Object.assign(new Error(`${code}: ${detail}`), { code }));
    }
}

/** A connected pair: by convention `left` is the client's end and `right` the server's. */
export function duplexPair(options: DuplexPairOptions = {}): {
    readonly left: MemorySocket;
    readonly right: MemorySocket;
} {
    const client = { address: options.clientAddress ?? "192.0.2.1", port: options.clientPort ?? 50_000 };
    const server = { address: options.serverAddress ?? "198.51.100.1", port: options.serverPort ?? 443 };
    const { highWaterMark = 16_384, allowHalfOpen = false } = options;
    const left = new MemorySocket(client, server, { highWaterMark, allowHalfOpen });
    const right = new MemorySocket(server, client, { highWaterMark, allowHalfOpen });
    left.connectTo(right);
    right.connectTo(left);
    return { left, right };
}
