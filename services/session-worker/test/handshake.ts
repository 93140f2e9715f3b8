// One TLS handshake with what a store serves, over loopback: what the client saw, and what the worker says that it may have seen.
import { once } from "node:events";
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { type CertificateHashes, hashesOf } from "../src/certificate-hashes.ts";
import type { CertificateStore } from "../src/certificates.ts";
import { tlsOptions } from "../src/settings.ts";
import { type TicketSettings, TicketKeys } from "../src/ticket-keys.ts";
import { secure } from "../src/tls-entry.ts";

/** What a worker speaks by default. */
export const TLS = tlsOptions({ tls: { minVersion: "TLSv1.2", maxVersion: "TLSv1.3", legacyCbc: false } });

export const LIFETIME = 3_600_000;

/** The keys of one worker; the same secret and time make those of another. */
export function ticketKeys(secret: Uint8Array, now: () => number = Date.now, more: Partial<TicketSettings> = {}) {
    return new TicketKeys(secret, { lifetime: LIFETIME, tls12: true, ...more }, now);
}

export async function shakeHands(store: CertificateStore, options: ConnectionOptions = {}, onBegin?: () => void) {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>; // a TCP server's
    const tcp = connectTcp({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" }); // it listens on TCP
    const [socket] = await accepted;
    const client = connectTls({ socket: tcp, rejectUnauthorized: false, ...options });
    const tickets: Buffer[] = [];
    client.on("session", (session) => tickets.push(session));
    const [{ socket: secured, certificates, resumed }] = await Promise.all([
        secure(socket, store, onBegin),
        once(client, "secureConnect"),
    ]);
    secured.write("x");
    await once(client, "data");
    const shown = resumed ? undefined : client.getPeerX509Certificate();
    const keyName = Buffer.from(client.getTLSTicket()?.subarray(0, 16) ?? []);
    const closed = once(socket, "close");
    client.destroy();
    secured.destroy();
    await closed;
    server.close();
    return {
        seen: hex(certificates),
        shown: shown === undefined ? [] : hex([hashesOf(shown.raw)]),
        keyType: shown?.publicKey.asymmetricKeyType,
        resumed,
        tickets,
        ticket: tickets.at(-1),
        /** What the ticket begins with. */
        keyName,
    };
}

/** SHA-256 of each. */
export const hex = (hashes: readonly CertificateHashes[]): string[] =>
    hashes.map(({ sha256 }) => Buffer.from(sha256).toString("hex"));
