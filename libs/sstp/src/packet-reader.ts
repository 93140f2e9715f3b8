// Packets out of a byte stream, [MS-SSTP] 2.2.1.  The data path: packets are handed over as offsets into the chunk they came
// in; only what a chunk boundary cuts in two is copied, into one buffer per reader.
import { HEADER_SIZE, MAX_PACKET_SIZE, packetKind, packetSize } from "./packet.ts";
import { InvariantError } from "@postern/errors";

/**
 * Receives packets in stream order.  `bytes` is the chunk itself or, for a packet that came in pieces, the reader's own buffer,
 * which the next such packet overwrites.  (Of a Buffer, `subarray` gives Buffers, whose `slice` does not copy.)
 */
export interface PacketSink {
    /**
     * Where there is one, asked first wherever a packet begins: takes whole data packets from the front of `[at, end)`, as many as it likes and none
     * that is not whole, and returns the offset behind them.
     */
    takeData?(bytes: Uint8Array, at: number, end: number): number;
    /** A control packet, header included (a compound MAC covers it), at `[start, end)` of `bytes`. */
    onControlPacket(bytes: Uint8Array, start: number, end: number): void;
    /** The PPP frame of a data packet at `[start, end)` of `bytes`; it may be empty. */
    onDataPacket(bytes: Uint8Array, start: number, end: number): void;
}

const NOTHING = new Uint8Array(0);

/** Cuts a byte stream into packets.  Holds at most one unfinished packet. */
export class PacketReader {
    readonly #sink: PacketSink;
    #carry = NOTHING;
    #carried = 0;
    #stopped = false;

    /** `tail` is what another reader of the same stream reported: reading goes on in the middle of that packet. */
    constructor(sink: PacketSink, tail: Uint8Array = NOTHING) {
        if (tail.length >= (tail.length < HEADER_SIZE ? HEADER_SIZE : packetSize(tail, 0))) {
            throw new InvariantError(`a tail of ${tail.length} octets holds a whole packet`);
        }
        this.#sink = sink;
        if (tail.length > 0) this.#keep(tail, 0);
    }

    /** A copy of the octets of the packet that is not complete yet: what a snapshot has to hold. */
    get tail(): Uint8Array<ArrayBuffer> {
        return this.#carry.slice(0, this.#carried);
    }

    /** No packet is delivered any more, not even one that is already in the chunk being read. */
    stop(): void {
        this.#stopped = true;
    }

    /** Delivers every packet that `chunk` completes.  Throws an `SstpError` without an answer when framing is lost. */
    push(chunk: Uint8Array): void {
        let at = this.#carried === 0 ? 0 : this.#finishCarried(chunk);
        while (!this.#stopped && chunk.length - at >= HEADER_SIZE) {
            at = this.#sink.takeData?.(chunk, at, chunk.length) ?? at;
            if (chunk.length - at < HEADER_SIZE) break;
            const end = at + packetSize(chunk, at);
            if (end > chunk.length) break;
            this.#deliver(chunk, at, end);
            at = end;
        }
        if (!this.#stopped && at < chunk.length) this.#keep(chunk, at);
    }

    /** Completes the carried packet and delivers it; returns the offset in `chunk` behind what it took. */
    #finishCarried(chunk: Uint8Array): number {
        let at = this.#take(chunk, 0, HEADER_SIZE);
        if (this.#carried < HEADER_SIZE) return at;
        const size = packetSize(this.#carry, 0);
        at = this.#take(chunk, at, size);
        if (this.#carried < size) return at;
        this.#carried = 0;
        if (!this.#stopped && this.#sink.takeData?.(this.#carry, 0, size) !== size) this.#deliver(this.#carry, 0, size);
        return at;
    }

    /** Moves octets of `chunk` from `at` on until `size` are carried; returns the offset behind them. */
    #take(chunk: Uint8Array, at: number, size: number): number {
        const end = Math.min(chunk.length, at + Math.max(0, size - this.#carried));
        this.#carry.set(chunk.subarray(at, end), this.#carried);
        this.#carried += end - at;
        return end;
    }

    #keep(chunk: Uint8Array, at: number): void {
        if (this.#carry.length === 0) this.#carry = new Uint8Array(MAX_PACKET_SIZE);
        this.#take(chunk, at, this.#carried + chunk.length - at);
    }

    #deliver(bytes: Uint8Array, start: number, end: number): void {
        if (packetKind(bytes, start) === "control") this.#sink.onControlPacket(bytes, start, end);
        else this.#sink.onDataPacket(bytes, start + HEADER_SIZE, end);
    }
}
