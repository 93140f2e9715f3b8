// Reads the first bytes of a stream until they are understood, and leaves the rest as if nobody had looked.
import { DependencyError } from "@postern/errors";
import type { Duplex } from "node:stream";

/** What a decoder found at the start of the bytes, and how many of them it used up. */
export interface Recognised<T> {
    readonly value: T;
    readonly size: number;
}

/** The peer closed, or the connection broke, before its first bytes were complete; `received` of them had come. */
export class StreamEndedError extends DependencyError {
    readonly received: number;

    constructor(received: number, cause?: Error) {
        super("STREAM_ENDED", `the connection ended after ${received} bytes`, { cause });
        this.received = received;
    }
}

/**
 * Resolves with what `decode` makes of the first bytes; bytes it did not use are put back.  Rejects with what `decode` throws,
 * or with a `StreamEndedError`.  The stream is paused afterwards.  How many bytes may be collected is up to `decode`.
 */
export function readAhead<T>(stream: Duplex, decode: (bytes: Uint8Array) => Recognised<T> | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
        const collected = new Collected();
        const finish = (outcome: () => void): void => {
            stream.off("data", onData).off("end", onEnd).off("close", onEnd).off("error", onError);
            stream.pause();
            outcome();
        };
        const onEnd = (): void => finish(() => reject(new StreamEndedError(collected.size)));
        const onError = (error: Error): void => finish(() => reject(new StreamEndedError(collected.size, error)));
        const onData = (chunk: Uint8Array): void => {
            const bytes = collected.add(chunk);
            try {
                const recognised = decode(bytes);
                if (recognised === undefined) return;
                finish(() => {
                    if (recognised.size < bytes.length) stream.unshift(bytes.subarray(recognised.size));
                    resolve(recognised.value);
                });
            } catch (error) {
                finish(() => reject(error));
            }
        };
        if (stream.destroyed || stream.readableEnded) return reject(new StreamEndedError(0));
        stream.on("end", onEnd).on("close", onEnd).on("error", onError).on("data", onData);
        stream.resume();
    });
}

/** Chunks joined as they come; room grows by doubling, so that a peer who sends single bytes does not cost their square. */
class Collected {
    #room: Uint8Array = new Uint8Array(0);
    size = 0;

    /** All bytes so far. */
    add(chunk: Uint8Array): Uint8Array {
        const size = this.size + chunk.length;
        // Nearly always the first chunk is all there is, and needs no copy.
        if (this.size === 0) this.#room = chunk;
        else if (size > this.#room.length || this.size === this.#room.length) this.#grow(size);
        if (this.size > 0) this.#room.set(chunk, this.size);
        this.size = size;
        return this.#room.subarray(0, size);
    }

    #grow(size: number): void {
        const room = new Uint8Array(2 * size);
        room.set(this.#room.subarray(0, this.size));
        this.#room = room;
    }
}
