// From a TCP connection to a TLS one.  The ClientHello is read first: it chooses the certificate and whether ALPN is spoken,
// and it is what an administrator has to see when a handshake fails.
import { type ClientHello, decodeClientHello, MAX_CLIENT_HELLO_SIZE, ClientHelloError } from "@postern/client-hello";
import { DependencyError } from "@postern/errors";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { CertificateStore } from "./certificates.ts";
import { readAhead } from "./read-ahead.ts";

const HTTP = "http/1.1";

/** A handshake that OpenSSL refused, with what the client had offered. */
export class TlsHandshakeError extends DependencyError {
    readonly hello: ClientHello;

    constructor(hello: ClientHello, cause: Error | undefined) {
        super("TLS_HANDSHAKE", cause?.message ?? "the client closed the connection", { cause });
        this.hello = hello;
    }
}

export interface SecuredConnection {
    readonly socket: TLSSocket;
    readonly hello: ClientHello;
}

/** Reads the ClientHello, then lets TLS begin.  Rejects with `ClientHelloError`, `StreamEndedError` or `TlsHandshakeError`. */
export async function secure(socket: Socket, certificates: CertificateStore): Promise<SecuredConnection> {
    const hello = await readAhead(socket, (bytes) => {
        const value = decodeClientHello(bytes);
        if (value !== undefined) return { value, size: 0 };
        if (bytes.length > 2 * MAX_CLIENT_HELLO_SIZE) throw new ClientHelloError("a ClientHello in too many records");
        return undefined;
    });
    const secured = new TLSSocket(socket, {
        isServer: true,
        secureContext: certificates.contextFor(hello.serverName),
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
            resolve();
        });
    });
    return { socket: secured, hello };
}
