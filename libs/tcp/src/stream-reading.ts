// What a client sends, as it is read from its stream.  Node makes an ArrayBuffer of every TLS record that it decrypts, and their
// collection is a quarter of what receiving costs: sockets that are read for long are read into one memory that all of them share.
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

/** `lasting` bytes stay as they are until this turn of the event loop is over; other bytes only until this returns. */
export type OnBytes = (bytes: Uint8Array, lasting: boolean) => void;

/** A whole TLS record, RFC 8446 §5.1: Node decrypts one at a time, and hands it over before the next. */
const SHARED = Buffer.allocUnsafeSlow(16_384);

/** What `onread` of `net.connect` sets; Node has no public way to set it on an accepted connection (ADR 0019). */
interface ReadingSocket {
    readonly _handle: { readonly useUserBuffer?: (memory: Uint8Array) => void } | null;
    [name: symbol]: unknown;
}

const MEMORY = socketSymbol("kBuffer");
const CALLBACK = socketSymbol("kBufferCb");

export class StreamReading {
    readonly #stream: Duplex;
    readonly #onBytes: OnBytes;
    readonly #onData = (chunk: Uint8Array): void => this.#onBytes(chunk, true);
    #isOn = false;

    /** Of a paused stream. */
    constructor(stream: Duplex, onBytes: OnBytes) {
        this.#stream = stream;
        this.#onBytes = onBytes;
    }

    /** Hands over everything that comes from now on, and first what had been read already. */
    start(): void {
        this.#isOn = true;
        this.#drain();
    }

    /** The stream is paused, and whatever has been read all the same is for the next who reads it. */
    stop(): void {
        const stream = this.#stream;
        this.#isOn = false;
        stream.pause();
        stream.off("data", this.#onData);
        const socket = memorySharing(stream);
        if (socket !== undefined)
            socket[CALLBACK] = (size: number) => stream.push(Buffer.copyBytesFrom(SHARED, 0, size));
    }

    #drain(): void {
        while (this.#isOn) {
            const chunk: unknown = this.#stream.read();
            if (!(chunk instanceof Uint8Array)) return this.#listen();
            this.#onBytes(chunk, true);
        }
    }

    #listen(): void {
        const socket = memorySharing(this.#stream);
        if (socket === undefined) this.#stream.on("data", this.#onData);
        else
            socket[CALLBACK] = (size: number): void => {
                // In braces: Node reads on unless it is told `false`, and a callback may return whatever it likes.
                this.#onBytes(SHARED.subarray(0, size), false);
            };
        this.#stream.resume();
    }
}

/** The socket, which reads into the shared memory; or `undefined` where this Node, or this stream, cannot. */
function memorySharing(stream: Duplex): ReadingSocket | undefined {
    if (!(stream instanceof TLSSocket) || !(MEMORY in stream) || !(CALLBACK in stream)) return undefined;
    const socket = stream as unknown as ReadingSocket; // these are the fields that `onread` sets: a test holds that they are
    if (socket[MEMORY] === SHARED) return socket;
    if (socket._handle?.useUserBuffer === undefined) return undefined;
    socket._handle.useUserBuffer(SHARED);
    socket[MEMORY] = SHARED;
    return socket;
}

function socketSymbol(name: string): symbol {
    const found = Object.getOwnPropertySymbols(new Socket()).find(({ description }) => description === name);
    return found ?? Symbol(`no ${name}`);
}
