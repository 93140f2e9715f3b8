// A directory that answers wrongly: it stands before a real one, with a certificate of the same authority, and spoils what that says.
import { once } from "node:events";
import { connect, createServer, type TLSSocket } from "node:tls";
import type { CertificateAuthority } from "@postern/testkit";

/** What becomes of an answer of the real directory on its way to the client. */
export type Spoil = (answer: Uint8Array, send: (bytes: Uint8Array) => void) => void;

export interface BrokenDirectory extends AsyncDisposable {
    readonly url: string;
}

export async function startBrokenDirectory(
    real: { readonly ldaps: string; readonly certificateName: string },
    authority: CertificateAuthority,
    spoil: Spoil,
): Promise<BrokenDirectory> {
    const { key, cert } = await authority.issue({ names: [real.certificateName] });
    const { hostname, port } = new URL(real.ldaps);
    const open = new Set<TLSSocket>();
    const server = createServer({ key, cert }, (client) => {
        const upstream = connect({
            host: hostname,
            port: Number(port),
            ca: authority.cert,
            servername: real.certificateName,
        });
        const end = (): void => {
            client.destroy();
            upstream.destroy();
        };
        for (const socket of [client, upstream]) {
            open.add(socket);
            socket.on("error", end).on("close", end);
        }
        client.on("data", (bytes: Buffer) => upstream.write(bytes));
        upstream.on("data", (bytes: Buffer) => spoil(bytes, (spoilt) => client.destroyed || client.write(spoilt)));
    });
    // What breaks a handshake off is the client's business.
    server.on("tlsClientError", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("a server without a port");
    return {
        url: `ldaps://127.0.0.1:${address.port}`,
        async [Symbol.asyncDispose]() {
            for (const socket of open) socket.destroy();
            const closed = once(server, "close");
            server.close();
            await closed;
        },
    };
}

/** The messages of a chunk that has whole ones, each with another message id, and each bind taken: RFC 4511 §4.1.1, §4.2.2. */
export function forOthers(chunk: Uint8Array): Uint8Array {
    const changed = Uint8Array.from(chunk);
    for (let at = 0; at + 2 < changed.length;) {
        const { size, start } = lengthAt(changed, at + 1);
        const idSize = changed[start + 1] ?? 0;
        // A number that a client of this test does not come to.
        changed[start + 1 + idSize] = (changed[start + 1 + idSize] ?? 0) ^ 0x40;
        const operation = start + 2 + idSize;
        if (changed[operation] === BIND_RESPONSE) changed[lengthAt(changed, operation + 1).start + 2] = 0;
        at = start + size;
    }
    return changed;
}

/** [APPLICATION 1], constructed. */
const BIND_RESPONSE = 0x61;

/** A length in BER (X.690 §8.1.3), and where what it is of starts. */
function lengthAt(bytes: Uint8Array, at: number): { readonly size: number; readonly start: number } {
    const first = bytes[at] ?? 0;
    if (first < 0x80) return { size: first, start: at + 1 };
    let size = 0;
    for (let index = 1; index <= (first & 0x7f); index += 1) size = size * 256 + (bytes[at + index] ?? 0);
    return { size, start: at + 1 + (first & 0x7f) };
}
