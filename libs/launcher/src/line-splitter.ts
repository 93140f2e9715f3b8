// Lines out of a stream of bytes; a line that never ends is cut, so that no child can fill our memory.
import { StringDecoder } from "node:string_decoder";

const MAX_LINE = 16_384;

export class LineSplitter {
    readonly #onLine: (line: string) => void;
    readonly #decoder = new StringDecoder("utf8");
    #rest = "";
    #cut = false;

    constructor(onLine: (line: string) => void) {
        this.#onLine = onLine;
    }

    push(bytes: Buffer): void {
        const pieces = this.#decoder.write(bytes).split("\n");
        const last = pieces.pop() ?? "";
        for (const piece of pieces) {
            this.#extend(piece);
            this.#finish();
        }
        this.#extend(last);
    }

    /** The stream is over: what has no line end is a line too. */
    end(): void {
        this.#extend(this.#decoder.end());
        if (this.#rest !== "") this.#finish();
    }

    #extend(piece: string): void {
        const room = MAX_LINE - this.#rest.length;
        if (piece.length > room) this.#cut = true;
        this.#rest += piece.slice(0, room);
    }

    #finish(): void {
        this.#onLine(this.#cut ? `${this.#rest} … (cut)` : this.#rest.replace(/\r$/, ""));
        this.#rest = "";
        this.#cut = false;
    }
}
