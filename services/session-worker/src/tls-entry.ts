// TLS of one connection.  The ClientHello is read before TLS begins: it decides the certificate and whether ALPN is spoken,
// and it is what an administrator has to see when a handshake fails.
import { type ClientHello, decodeClientHello, MAX_CLIENT_HELLO_SIZE, ClientHelloError } from "@postern/client-hello";
import { DependencyError } from "@postern/errors";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { CertificateHashes } from "./certificate-hashes.ts";
import type { CertificateStore } from "./certificates.ts";
import { readAhead } from "./read-ahead.ts";

const HTTP = "http/1.1";

/** A handshake that OpenSSL refused, with what the client had offered. */
export class TlsHandshakeError extends DependencyError {
    readonly hello: ClientHello;

    constructor(hello: ClientHello, cause: Error | undefined) {
        super("TLS_HANDSHAKE", cause === undefined ? "the client closed the connection" : reasonOf(cause), { cause });
        this.hello = hello;
    }
}

export interface SecuredConnection {
    readonly socket: TLSSocket;
    readonly hello: ClientHello;
    /** A ticket brought an earlier TLS session back, and no certificate was shown. */
    readonly resumed: boolean;
    /** Of every certificate that the client may have been shown. */
    readonly certificates: readonly CertificateHashes[];
}

/**
 * Reads the ClientHello, then lets TLS begin, which `onBegin` is told first.  Rejects with `ClientHelloError`, `StreamEndedError` or
 * `TlsHandshakeError`.
 */
export async function secure(
    socket: Socket,
    store: CertificateStore,
    onBegin: () => void = () => undefined,
): Promise<SecuredConnection> {
    const hello = await readAhead(socket, (bytes) => {
        const value = decodeClientHello(bytes);
        if (value !== undefined) return { value, size: 0 };
        if (bytes.length > 2 * MAX_CLIENT_HELLO_SIZE) throw new ClientHelloError("a ClientHello in too many records");
        return undefined;
    });
    // Kept for the whole handshake: files that change meanwhile are for later ones.
    const terms = store.identityFor(hello.serverName).termsFor(hello);
    onBegin();
    const secured = new TLSSocket(socket, {
        isServer: true,
        secureContext: terms.context,
        requestCert: false,
        // A client whose list lacks it is served all the same: an alert would only help a middlebox.
        ...(hello.alpn.includes(HTTP) ? { ALPNProtocols: [HTTP] } : {}),
    });
    secured.disableRenegotiation();
    await new Promise<void>((resolve, reject) => {
        const fail = (error?: Error): void => {
            secured.destroy();
            reject(new TlsHandshakeError(hello, error));
        };
        // Node reports failures before the handshake is complete under this name on a socket without a server.
        secured.once("_tlsError", fail).once("close", fail).once("error", fail);
        secured.once("secure", () => {
            secured.off("_tlsError", fail).off("close", fail).off("error", fail);
            endOnFailure(secured);
            resolve();
        });
    });
    return { socket: secured, hello, resumed: secured.isSessionReused(), certificates: terms.seenBy(secured) };
}

/** Not in `secure`, whose ClientHello these listeners would keep for as long as the connection lives. */
function endOnFailure(socket: TLSSocket): void {
    // Node reports later failures under that name too, without closing anything: a broken record, or an attempt to renegotiate.
    socket.on("_tlsError", (error: Error) => socket.destroy(error));
    // Every later stage has its own listener; this one keeps a failure between two of them from being nobody's.
    socket.on("error", () => undefined);
}

/** OpenSSL's `40E3…:error:0A000102:SSL routines:tls_post_process_client_hello:no shared cipher:…` without its addresses. */
function reasonOf({ message }: Error): string {
    const [, code, , routine, reason] = /error:([0-9A-F]{8}):([^:]*):([^:]*):([^:]*):/.exec(message) ?? [];
    return reason === undefined || reason === "" ? message : `${reason} (${routine ?? ""}, ${code ?? ""})`;
}
