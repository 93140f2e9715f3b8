// Received IP packets that nobody has asked for yet.
import { DependencyError } from "@postern/errors";

const MAX_QUEUED = 256;

interface Reader {
    readonly resolve: (packet: Uint8Array) => void;
    readonly reject: (error: Error) => void;
}

/** Bounded: when it is full the oldest packet goes, and is counted. */
export class PacketQueue {
    readonly #packets: Uint8Array[] = [];
    readonly #readers: Reader[] = [];
    #dropped = 0;
    #closed = false;

    /** Packets that nobody took in time. */
    get dropped(): number {
        return this.#dropped;
    }

    /** Keeps a copy. */
    push(packet: Uint8Array): void {
        const copy = Uint8Array.from(packet);
        const reader = this.#readers.shift();
        if (reader !== undefined) return reader.resolve(copy);
        this.#packets.push(copy);
        if (this.#packets.length <= MAX_QUEUED) return;
        this.#packets.shift();
        this.#dropped += 1;
    }

    /** The oldest packet, as soon as there is one; rejects when the connection closes first. */
    next(): Promise<Uint8Array> {
        const packet = this.#packets.shift();
        if (packet !== undefined) return Promise.resolve(packet);
        if (this.#closed) return Promise.reject(closedError());
        return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    }

    close(): void {
        this.#closed = true;
        for (const { reject } of this.#readers.splice(0)) reject(closedError());
    }
}

const closedError = (): DependencyError => new DependencyError("TUNNEL_CLOSED");
