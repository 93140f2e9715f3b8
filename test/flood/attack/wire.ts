// Connections of an attacker: as far as it wants to get, and no further.
import { type EventEmitter, once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { PassThrough } from "node:stream";
import { encodeProxyV2 } from "@postern/proxy-protocol";
import { encodeMessage, encodeSstpRequest } from "@postern/sstp";
import type { AttackOptions } from "./attack.ts";

/** Address number `index` of 198.18.0.0/15, which RFC 2544 gives to benchmarks. */
export const sourceAt = (index: number): string =>
    `198.${18 + ((index >>> 16) & 1)}.${(index >>> 8) & 0xff}.${index & 0xff}`;

export const proxyHeaderOf = (source: string): Uint8Array =>
    encodeProxyV2({
        command: "proxy",
        source: { address: source, port: 40_000 },
        destination: { address: "203.0.113.1", port: 443 },
        tlvs: [],
    });

/** Connected, and introduced as source number `index` where sources are asked for; its errors are nobody's. */
export async function openTcp({ target, from, sources = 0 }: AttackOptions, index: number): Promise<Socket> {
    const { host, port } = target;
    const local = from === undefined ? {} : { localAddress: from };
    const socket = connectTcp({ host, port, allowHalfOpen: true, noDelay: true, ...local });
    socket.on("error", () => socket.destroy());
    await first(socket, "connect", "close");
    if (sources > 0 && !socket.destroyed) socket.write(proxyHeaderOf(sourceAt(index % sources)));
    return socket;
}

/** Which of these events of `emitter` comes first; an error is none. */
export function first(emitter: EventEmitter, ...names: readonly string[]): Promise<string> {
    return new Promise((resolve) => {
        const handlers = names.map((name) => ({ name, handler: () => finish(name) }));
        const finish = (name: string): void => {
            for (const { name: other, handler } of handlers) emitter.off(other, handler);
            resolve(name);
        };
        for (const { name, handler } of handlers) emitter.on(name, handler);
    });
}

export interface TlsPair {
    readonly tcp: Socket;
    readonly tls: TLSSocket;
}

/** `undefined`: the server did not let it get so far. */
export async function openTls(options: AttackOptions, index: number): Promise<TlsPair | undefined> {
    const tcp = await openTcp(options, index);
    if (tcp.destroyed) return undefined;
    const tls = connectTls({ socket: tcp, servername: options.target.servername, rejectUnauthorized: false });
    tls.on("error", () => tls.destroy());
    const event = await Promise.race([first(tls, "secureConnect", "close"), first(tcp, "close")]);
    return event === "close" ? undefined : { tcp, tls };
}

/** Told HTTP 200; with `call`, also past the Call Connect Request. */
export async function openSstp(options: AttackOptions, index: number, call: boolean): Promise<TlsPair | undefined> {
    const pair = await openTls(options, index);
    if (pair === undefined) return undefined;
    const { tls } = pair;
    tls.write(
        encodeSstpRequest({
            host: options.target.servername,
            correlationId: `{${crypto.randomUUID()}}`,
        }),
    );
    if (call) tls.write(encodeMessage({ kind: "call-connect-request" }));
    await first(tls, "data", "close");
    return tls.destroyed ? undefined : pair;
}

/** The bytes of a real ClientHello. */
export const clientHello = (servername: string): Promise<Buffer> => (knownHello ??= createHello(servername));

let knownHello: Promise<Buffer> | undefined;

async function createHello(servername: string): Promise<Buffer> {
    const wire = new PassThrough();
    const bytes = once(wire, "data");
    const tls = connectTls({ socket: wire, servername, rejectUnauthorized: false });
    // It reads its own words, and does not like them.
    tls.on("error", () => undefined);
    const [hello] = (await bytes) as [Buffer]; // no encoding is set
    tls.destroy();
    return hello;
}
