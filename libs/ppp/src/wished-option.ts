// A client's side of an option that it can do without, RFC 1661 §5.3 and §5.4.
import { copyBytes } from "@postern/bytes";
import type { OptionHandler } from "./option-handler.ts";

/** An option that a client asks for, takes in the form that the server suggests, and does without when rejected. */
export class WishedOption implements OptionHandler {
    readonly type: number;
    #value: Uint8Array | undefined;

    constructor(type: number, value: Uint8Array) {
        this.type = type;
        this.#value = value;
    }

    /** `undefined` once the server has rejected it. */
    get value(): Uint8Array | undefined {
        return this.#value;
    }

    request(): Uint8Array | undefined {
        return this.#value;
    }

    naked(value: Uint8Array): void {
        this.#value = copyBytes(value);
    }

    rejected(): void {
        this.#value = undefined;
    }
}
