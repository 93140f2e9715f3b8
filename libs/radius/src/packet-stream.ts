// RADIUS packets out of a stream, RFC 6613 §2.1: nothing is between them, and each says its own length.
import { concatBytes } from "@postern/bytes";
import { packetSize } from "./packet.ts";

export class PacketStream {
    #rest: Uint8Array = new Uint8Array(0);

    /**
     * The packets that are whole with these bytes, as copies; to be iterated to its end.  Throws a RadiusError after them for a
     * length that no packet has: the stream has lost its way, and the connection must end (RFC 6613 §2.6.4).
     */
    *push(bytes: Uint8Array): Generator<Uint8Array, void> {
        let left = this.#rest.length === 0 ? bytes : concatBytes(this.#rest, bytes);
        for (;;) {
            const size = packetSize(left);
            if (size === undefined || size > left.length) break;
            yield left.slice(0, size);
            left = left.subarray(size);
        }
        this.#rest = left.slice();
    }
}
