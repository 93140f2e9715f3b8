// TLS whose records travel in somebody else's packets, the client's end: Node's TLS on a stream in memory.
import { Duplex } from "node:stream";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";

/** What TLS makes of the octets that it was given; each message of the server leads to at least one. */
export type TunnelEvent =
    /** Records for the server: all that TLS has to say at this point. */
    | { readonly kind: "flight"; readonly bytes: Uint8Array }
    /** The handshake is over. */
    | { readonly kind: "open" }
    /** What the server says inside. */
    | { readonly kind: "data"; readonly bytes: Uint8Array }
    | { readonly kind: "failed"; readonly detail: string };

export class TlsTunnel {
    readonly #tls: TLSSocket;
    readonly #wire: Duplex;
    readonly #events: TunnelEvent[] = [];
    #waiting: ((event: TunnelEvent) => void) | undefined;

    /** The first event is the ClientHello. */
    constructor(options: Omit<ConnectionOptions, "socket">) {
        this.#wire = new Duplex({
            read: () => undefined,
            write: (bytes: Uint8Array, _encoding, done) => {
                this.#happened({ kind: "flight", bytes });
                done();
            },
            // What TLS writes at once belongs together.
            writev: (chunks, done) => {
                const records = chunks.map(({ chunk }) => chunk as Buffer); // what a stream without object mode is given
                this.#happened({ kind: "flight", bytes: Buffer.concat(records) });
                done();
            },
        });
        this.#tls = connect({ ...options, socket: this.#wire });
        this.#tls.on("secureConnect", () => this.#happened({ kind: "open" }));
        this.#tls.on("data", (bytes: Buffer) => this.#happened({ kind: "data", bytes }));
        this.#tls.on("error", ({ message }) => this.#happened({ kind: "failed", detail: message }));
    }

    /** Records of the server. */
    feed(bytes: Uint8Array): void {
        this.#wire.push(bytes);
    }

    /** Says something inside; the records are the next flight. */
    write(bytes: Uint8Array): void {
        this.#tls.write(bytes);
    }

    /** The oldest event that nobody has taken, as soon as there is one. */
    next(): Promise<TunnelEvent> {
        const event = this.#events.shift();
        if (event !== undefined) return Promise.resolve(event);
        const { promise, resolve } = Promise.withResolvers<TunnelEvent>();
        this.#waiting = resolve;
        return promise;
    }

    /** RFC 5705, once the handshake is over. */
    exportKey(size: number, label: string): Uint8Array {
        return exportKey(this.#tls, size, label);
    }

    destroy(): void {
        this.#tls.destroy();
    }

    #happened(event: TunnelEvent): void {
        const waiting = this.#waiting;
        this.#waiting = undefined;
        if (waiting === undefined) this.#events.push(event);
        else waiting(event);
    }
}

/** Of either end.  In TLS 1.2 an empty context makes another key than none, RFC 5705 §4: here is none. */
export function exportKey(tls: TLSSocket, size: number, label: string): Uint8Array {
    const exporter = tls.exportKeyingMaterial.bind(tls) as (size: number, label: string) => Buffer; // its types ask for a context
    return exporter(size, label);
}
