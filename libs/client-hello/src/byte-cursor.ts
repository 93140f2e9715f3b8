// A cursor over the nested, length-prefixed vectors of TLS, RFC 8446 §3.4.
import { readU16, readU8 } from "@postern/bytes";
import { ClientHelloError } from "./errors.ts";

export class ByteCursor {
    readonly #bytes: Uint8Array;
    #at = 0;

    constructor(bytes: Uint8Array) {
        this.#bytes = bytes;
    }

    get remaining(): number {
        return this.#bytes.length - this.#at;
    }

    /** The next `size` octets; a length that points behind the end of its vector is malformed. */
    take(size: number): Uint8Array {
        if (size > this.remaining)
            throw new ClientHelloError(`a field of ${size} octets where ${this.remaining} are left`);
        this.#at += size;
        return this.#bytes.subarray(this.#at - size, this.#at);
    }

    u8(): number {
        return readU8(this.take(1), 0);
    }

    u16(): number {
        return readU16(this.take(2), 0);
    }

    u24(): number {
        return (this.u8() << 16) | this.u16();
    }

    /** A vector behind its length of one octet. */
    vector8(): Uint8Array {
        return this.take(this.u8());
    }

    /** A vector behind its length of two octets. */
    vector16(): Uint8Array {
        return this.take(this.u16());
    }
}

/** The 16-bit numbers that fill `bytes`. */
export function numbers16(bytes: Uint8Array): number[] {
    const cursor = new ByteCursor(bytes);
    const numbers: number[] = [];
    while (cursor.remaining > 0) numbers.push(cursor.u16());
    return numbers;
}
