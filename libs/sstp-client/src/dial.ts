// TCP, the PROXY header if any, TLS.
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls";
import { once } from "node:events";
import { CLIENT_HABITS } from "./client-habits.ts";
import type { SstpClientOptions } from "./client-options.ts";
import type { DialStopwatch } from "./dial-timings.ts";

/** The connection and the TCP socket under it. */
export interface DialedStream {
    readonly tcp: Socket;
    readonly tls: TLSSocket;
}

/** Resolves when the TLS handshake is done; rejects with the socket's error, or with the reason of `signal`. */
export async function dial(
    options: SstpClientOptions,
    stopwatch: DialStopwatch,
    signal: AbortSignal,
): Promise<DialedStream> {
    const tcp = connectTcp({ host: options.host, port: options.port, ...localAddress(options) });
    try {
        tcp.setNoDelay(true);
        await once(tcp, "connect", { signal });
        stopwatch.complete("tcp");
        if (options.proxyHeader !== undefined) tcp.write(options.proxyHeader);
        const tls = startTls(tcp, options);
        await once(tls, "secureConnect", { signal });
        stopwatch.complete("tls");
        return { tcp, tls };
    } catch (error) {
        tcp.destroy();
        throw error;
    }
}

/** DER of the certificate of this connection, or of the one that it resumes. */
export function certificateOf(tls: TLSSocket, { resumes }: SstpClientOptions): Uint8Array {
    const shown = tls.isSessionReused() ? resumes?.certificate : tls.getPeerX509Certificate()?.raw;
    return shown ?? new Uint8Array(0);
}

const localAddress = ({ localAddress: address }: SstpClientOptions) =>
    address === undefined ? {} : { localAddress: address };

function startTls(tcp: Socket, options: SstpClientOptions): TLSSocket {
    const {
        servername = options.host,
        client = "windows",
        ca,
        keylog,
        resumes,
        onTlsSession,
        verifiesCertificate = true,
    } = options;
    const sendsName = CLIENT_HABITS[client].sendsServerName && isIP(servername) === 0;
    const tls = connectTls({
        socket: tcp,
        ...options.tls,
        ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }),
        ...(resumes === undefined ? {} : { session: resumes.session }),
        servername: sendsName ? servername : "",
        rejectUnauthorized: verifiesCertificate,
        // By the name that was meant, whether or not it was sent.
        checkServerIdentity: (_, certificate) => checkServerIdentity(servername, certificate),
    });
    // Whoever waits for the connection listens for errors, too; one that comes after the last of them has no consequence.
    tls.on("error", () => undefined);
    if (keylog !== undefined) tls.on("keylog", keylog);
    if (onTlsSession !== undefined) {
        tls.on("session", (session: Buffer) => onTlsSession({ session, certificate: certificateOf(tls, options) }));
    }
    return tls;
}
