// Packets from clients on their way to the uplink, collected so that one chunk of a TLS stream costs one call.  One batch
// serves a whole worker: it is always empty again when a chunk has been processed.
import type { Uplink } from "./uplink.ts";

const CAPACITY = 256;

export class InboundBatch {
    readonly #uplink: Pick<Uplink, "write">;
    readonly #spans = new Uint32Array(CAPACITY * 2);
    #bytes: Uint8Array | undefined;
    #count = 0;

    constructor(uplink: Pick<Uplink, "write">) {
        this.#uplink = uplink;
    }

    /** The packet at `[at, at + length)` of `bytes`, which must stay as it is until `flush`. */
    add(bytes: Uint8Array, at: number, length: number): void {
        if (this.#bytes !== bytes || this.#count === CAPACITY) this.flush();
        this.#bytes = bytes;
        this.#spans[this.#count * 2] = at;
        this.#spans[this.#count * 2 + 1] = length;
        this.#count += 1;
    }

    /** Hands over what was added; the bytes may change afterwards. */
    flush(): void {
        const bytes = this.#bytes;
        const count = this.#count;
        this.#bytes = undefined;
        this.#count = 0;
        if (bytes !== undefined) this.#uplink.write(bytes, this.#spans, count);
    }
}
