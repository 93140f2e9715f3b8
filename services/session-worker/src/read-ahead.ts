// Reads the first bytes of a stream until they are understood, and leaves the rest as if nobody had looked.
import { concatBytes } from "@postern/bytes";
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
 * or with a `StreamEndedError`.  The stream is paused afterwards.
 */
export function readAhead<T>(stream: Duplex, decode: (bytes: Uint8Array) => Recognised<T> | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
        let bytes: Uint8Array = new Uint8Array(0);
        const finish = (outcome: () => void): void => {
            stream.off("data", onData).off("end", onEnd).off("close", onEnd).off("error", onError);
            stream.pause();
            outcome();
        };
        const onEnd = (): void => finish(() => reject(new StreamEndedError(bytes.length)));
        const onError = (error: Error): void => finish(() => reject(new StreamEndedError(bytes.length, error)));
        const onData = (chunk: Uint8Array): void => {
            bytes = bytes.length === 0 ? chunk : concatBytes(bytes, chunk);
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
