// What waits to be written to one client, bounded.  TCP gives a sender unlimited patience and a TUN device has none, so
// the queue decides: control packets always go, inner packets are dropped at the tail once too many bytes wait.
import type { Duplex } from "node:stream";

export interface EgressLimits {
    /** Bytes that may wait before inner packets are dropped. */
    readonly dataBytes: number;
    /** Bytes that may wait before the session is given up: only a peer that never reads gets there. */
    readonly totalBytes: number;
}

export class EgressQueue {
    readonly #stream: Duplex;
    readonly #limits: EgressLimits;
    readonly #overflow: () => void;

    /** `overflow` is told when control packets alone exceed `totalBytes`. */
    constructor(stream: Duplex, limits: EgressLimits, overflow: () => void) {
        this.#stream = stream;
        this.#limits = limits;
        this.#overflow = overflow;
    }

    /** Bytes accepted here that the transport has not taken yet. */
    get waitingBytes(): number {
        return this.#stream.writableLength;
    }

    /** Bytes of inner packets that are taken now: an idle queue takes any run, so that one is not cut for being long. */
    get room(): number {
        const waiting = this.waitingBytes;
        if (!this.#stream.writable) return 0;
        return waiting === 0 ? Infinity : Math.max(0, this.#limits.dataBytes - waiting);
    }

    /** Control packets: never dropped. */
    sendControl(bytes: Uint8Array): void {
        if (!this.#stream.writable) return;
        if (this.waitingBytes + bytes.length > this.#limits.totalBytes) this.#overflow();
        else this.#stream.write(bytes);
    }

    /** One run of framed inner packets: taken whole, or dropped whole (`false`).  `done` is called once nobody reads it any more. */
    sendData(run: Uint8Array, done: () => void): boolean {
        if (run.length > this.room) {
            done();
            return false;
        }
        this.#stream.write(run, done);
        return true;
    }
}
