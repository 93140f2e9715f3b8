// HTTP/1.1 message head, RFC 9112 §2 to §5: start line, header fields, blank line.  Own parser, because the Content-Length of an
// SSTP request is 2^64-1, which HTTP parsers refuse ([MS-SSTP] 3.2.4.1).
//   start-line CRLF *( name ":" OWS value OWS CRLF ) CRLF
import { decodeLatin1 } from "@postern/bytes";
import { MAX_HTTP_HEAD_SIZE } from "./constants.ts";
import { HttpError } from "./errors.ts";

const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const DEL = 0x7f;

/** A complete head, and what came behind it. */
export interface HttpHead {
    readonly startLine: string;
    /** Field values by lower-case name; the values of a repeated field are joined with ", " (RFC 9110 §5.3). */
    readonly fields: ReadonlyMap<string, string>;
    /** Octets behind the blank line: aliases the last chunk. */
    readonly rest: Uint8Array;
}

/** Collects one head from chunks.  Each octet is looked at once, so that a slow or hostile peer costs no more than its octets. */
export class HttpHeadReader {
    readonly #lines: string[] = [];
    #line: number[] = [];
    #size = 0;

    /** The head that `chunk` completes, or `undefined` while it is incomplete.  Throws `HttpError` 400 or 431. */
    push(chunk: Uint8Array): HttpHead | undefined {
        for (let at = 0; at < chunk.length; at += 1) {
            this.#size += 1;
            if (this.#size > MAX_HTTP_HEAD_SIZE) throw new HttpError(431, `more than ${MAX_HTTP_HEAD_SIZE} octets`);
            const line = this.#take(chunk[at] ?? 0);
            if (line === "") return this.#finish(chunk.subarray(at + 1));
            if (line !== undefined) this.#lines.push(line);
        }
        return undefined;
    }

    /** The line that `octet` completes, without its CRLF. */
    #take(octet: number): string | undefined {
        const afterCr = this.#line.at(-1) === CR;
        if (afterCr !== (octet === LF)) throw new HttpError(400, "a line that does not end with CR LF");
        if (afterCr) {
            this.#line.pop();
            const line = decodeLatin1(Uint8Array.from(this.#line));
            this.#line = [];
            return line;
        }
        if ((octet < SPACE && octet !== TAB && octet !== CR) || octet === DEL) {
            throw new HttpError(400, `octet ${octet} in the head`);
        }
        this.#line.push(octet);
        return undefined;
    }

    #finish(rest: Uint8Array): HttpHead {
        const [startLine, ...fieldLines] = this.#lines;
        if (startLine === undefined) throw new HttpError(400, "no start line");
        const fields = new Map<string, string>();
        for (const line of fieldLines) {
            const colon = line.indexOf(":");
            const name = line.slice(0, Math.max(0, colon)).toLowerCase();
            if (!TOKEN.test(name)) throw new HttpError(400, "a header line that is not a field");
            const value = line.slice(colon + 1).trim();
            const earlier = fields.get(name);
            fields.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
        }
        return { startLine, fields, rest };
    }
}

// RFC 9110 §5.6.2.  A space before the colon and a folded line, which begins with one, do not match (RFC 9112 §5).
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
