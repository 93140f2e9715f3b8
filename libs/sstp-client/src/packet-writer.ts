// Writing to the TLS connection: the packets of one turn of the event loop go out together, as those of real clients do, or,
// on demand, in the smallest pieces.
import type { TLSSocket } from "node:tls";

export class PacketWriter {
    readonly #socket: TLSSocket;
    readonly #pieceSize: number | undefined;
    #corked = false;
    /** Octets that wait for the piece before them. */
    #unsent: Uint8Array[] = [];
    #sending = false;
    #closing = false;

    /** `pieceSize`: octets per write, each in a TLS record of its own; without it writes are joined. */
    constructor(socket: TLSSocket, pieceSize?: number) {
        this.#socket = socket;
        this.#pieceSize = pieceSize;
    }

    /** Whether more may be written before the connection has drained. */
    write(bytes: Uint8Array): boolean {
        if (!this.#socket.writable || this.#closing) return false;
        if (this.#pieceSize === undefined) {
            this.#cork();
            return this.#socket.write(bytes);
        }
        for (let at = 0; at < bytes.length; at += this.#pieceSize) {
            this.#unsent.push(bytes.subarray(at, at + this.#pieceSize));
        }
        this.#sendPiece();
        return true;
    }

    /** Ends the connection behind what has been written. */
    close(): void {
        this.#closing = true;
        if (this.#unsent.length === 0 && !this.#sending) this.#socket.destroySoon();
    }

    #cork(): void {
        if (this.#corked) return;
        this.#corked = true;
        this.#socket.cork();
        process.nextTick(() => {
            this.#corked = false;
            this.#socket.uncork();
        });
    }

    /** One piece at a time: what is written before the piece ahead has left would share its record. */
    #sendPiece(): void {
        if (this.#sending) return;
        const piece = this.#unsent.shift();
        if (piece === undefined) {
            if (this.#closing) this.#socket.destroySoon();
            return;
        }
        this.#sending = true;
        this.#socket.write(piece, () => {
            this.#sending = false;
            this.#sendPiece();
        });
    }
}
