// What waits to be written to one client, bounded.  TCP gives a sender unlimited patience and a TUN device has none, so
// the queue decides: control packets always go, inner packets are dropped at the tail once too much of them waits.  Too much is what
// the client takes in 50 ms: flows inside the tunnel slow down for a loss, and would only wait longer behind more.
import type { Duplex } from "node:stream";
import type { PathQueue } from "@postern/tun";

export interface EgressLimits {
    /** Bytes that may wait before inner packets are dropped, however fast the client is. */
    readonly dataBytes: number;
    /** Bytes that may wait before the session is given up: only a peer that never reads gets there. */
    readonly totalBytes: number;
}

/** Milliseconds for which inner packets may wait. */
const MAX_WAIT = 50;
/** Milliseconds of a busy queue that say how fast the client is. */
const SAMPLE = 20;
/** Bytes that may wait however slow the client is: a TLS record, a dozen packets, so that a flow can find out how fast it is. */
const MIN_DATA_BYTES = 16_384;
/** Writes that may wait before inner packets are dropped: each costs half a kilobyte, however short it is. */
const MAX_DATA_WRITES = 1_024;
/** Writes that may wait before the session is given up: a client that asks and does not read makes answers of a few bytes. */
const MAX_WRITES = 4 * MAX_DATA_WRITES;
/** What inner packets may take of `totalBytes`; the rest is for control packets. */
const DATA_SHARE = 0.75;

export class EgressQueue implements PathQueue {
    readonly #stream: Duplex;
    readonly #limits: EgressLimits;
    readonly #now: () => number;
    readonly #overflow: () => void;
    /** Bytes of inner packets that may wait. */
    #dataBytes: number;
    #written = 0;
    #waitingWrites = 0;
    /** When the sample in hand began, and what the transport had taken by then; `undefined`: the queue was empty. */
    #sample: { readonly since: number; readonly taken: number } | undefined;

    /** `overflow` is told when control packets alone exceed `totalBytes`, or are too many; `now` is in milliseconds. */
    constructor(stream: Duplex, limits: EgressLimits, now: () => number, overflow: () => void) {
        this.#stream = stream;
        this.#limits = limits;
        this.#dataBytes = limits.dataBytes;
        this.#now = now;
        this.#overflow = overflow;
    }

    /** Bytes accepted here that the transport has not taken yet. */
    get waitingBytes(): number {
        return this.#stream.writableLength;
    }

    /** Bytes of inner packets that are taken now.  A fast client's idle queue takes long runs, too: more than `dataBytes`. */
    get room(): number {
        if (!this.#stream.writable || this.#waitingWrites >= MAX_DATA_WRITES) return 0;
        const waiting = this.waitingBytes;
        this.#measure(waiting);
        const { dataBytes, totalBytes } = this.#limits;
        const most = totalBytes * DATA_SHARE;
        const isFast = this.#dataBytes === dataBytes;
        const allowed = waiting === 0 && isFast ? most : Math.min(this.#dataBytes, most);
        return Math.max(0, Math.floor(allowed - waiting));
    }

    /** Control packets: never dropped. */
    sendControl(bytes: Uint8Array): void {
        if (!this.#stream.writable) return;
        const fits = this.waitingBytes + bytes.length <= this.#limits.totalBytes;
        if (fits && this.#waitingWrites < MAX_WRITES) this.#write(bytes);
        else this.#overflow();
    }

    /** One run of framed inner packets: taken whole, or dropped whole (`false`).  `done` is called once nobody reads it any more. */
    sendData(run: Uint8Array, done: () => void): boolean {
        if (run.length > this.room) {
            done();
            return false;
        }
        this.#write(run, done);
        return true;
    }

    #write(bytes: Uint8Array, done?: () => void): void {
        this.#written += bytes.length;
        this.#waitingWrites += 1;
        this.#stream.write(bytes, () => {
            this.#waitingWrites -= 1;
            done?.();
        });
    }

    /** Only a queue that is never empty in between shows what the client takes; one that has emptied shows that it takes more. */
    #measure(waiting: number): void {
        const taken = this.#written - waiting;
        if (waiting === 0) {
            if (this.#sample !== undefined) this.#allow(2 * this.#dataBytes);
            this.#sample = undefined;
            return;
        }
        const now = this.#now();
        const { since, taken: before } = (this.#sample ??= { since: now, taken });
        const passed = now - since;
        if (passed < SAMPLE) return;
        if (taken === before) {
            // Writes are taken many at a time, so that nothing has been may mean little; but not all that waits was taken meanwhile.
            this.#allow(Math.min(this.#dataBytes, (waiting / passed) * MAX_WAIT));
            return;
        }
        this.#allow(((taken - before) / passed) * MAX_WAIT);
        this.#sample = { since: now, taken };
    }

    #allow(bytes: number): void {
        this.#dataBytes = Math.max(
            Math.min(MIN_DATA_BYTES, this.#limits.dataBytes),
            Math.min(bytes, this.#limits.dataBytes),
        );
    }
}
