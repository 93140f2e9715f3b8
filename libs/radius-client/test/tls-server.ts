// A RadSec server on the loopback that answers as a test's script says.
import { once } from "node:events";
import { createServer, type TLSSocket } from "node:tls";
import { PacketStream } from "@postern/radius";
import { createCertificateAuthority, type CertificateAuthority } from "@postern/testkit";

export type TlsScript = (packet: Uint8Array, socket: TLSSocket) => void;

export interface TlsServer extends AsyncDisposable {
    readonly port: number;
    readonly authority: CertificateAuthority;
    /** Connections whose handshake is over. */
    readonly connections: readonly TLSSocket[];
    readonly packets: readonly Uint8Array[];
}

export interface TlsServerOptions {
    readonly names?: readonly [string, ...string[]];
    /** Whether clients must have a certificate of the same authority. */
    readonly wantsCertificate?: boolean;
}

export async function startTlsServer(script: TlsScript, options: TlsServerOptions = {}): Promise<TlsServer> {
    const authority = await createCertificateAuthority("RadSec authority of a test");
    const { key, cert } = await authority.issue({ names: options.names ?? ["127.0.0.1"] });
    const wants = options.wantsCertificate === true;
    const server = createServer({ key, cert, ca: authority.cert, requestCert: wants, rejectUnauthorized: wants });
    const connections: TLSSocket[] = [];
    const packets: Uint8Array[] = [];
    server.on("secureConnection", (socket) => {
        const stream = new PacketStream();
        connections.push(socket);
        // A peer that goes away is what these tests are about.
        socket.on("error", () => socket.destroy());
        socket.on("data", (bytes: Buffer) => {
            for (const packet of stream.push(bytes)) {
                packets.push(packet);
                script(packet, socket);
            }
        });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return {
        port: address.port,
        authority,
        connections,
        packets,
        async [Symbol.asyncDispose]() {
            for (const socket of connections) socket.destroy();
            const closed = once(server, "close");
            server.close();
            await closed;
        },
    };
}
