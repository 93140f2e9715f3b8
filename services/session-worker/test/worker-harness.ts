// A worker without its bus: the real listener, TLS, sessions and packet path.  Brokers and registry are one function that
// knows one user; the network side is an uplink that remembers what it was given.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { Duplex } from "node:stream";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Counters, EndReason, PathFigures, SessionSnapshot } from "@postern/contracts";
import { echoReply, parseIpv4 } from "@postern/ip";
import { ntPasswordHash, verifyMschapv2 } from "@postern/ppp";
import { SstpClient, type SstpClientOptions } from "@postern/sstp-client";
import { PathWatch, tune } from "@postern/tcp";
import { KEYLESS_HLAK } from "@postern/sstp";
import { createLogger } from "@postern/telemetry";
import { type DataPath, PacketPath, type PathPorts } from "@postern/tun";
import {
    createCertificateAuthority,
    createTemporaryDirectory,
    eventually,
    type IssuedCertificate,
} from "@postern/testkit";
import { type CertificateFiles, CertificateStore } from "../src/certificates.ts";
import { ConnectionTable } from "../src/connection-table.ts";
import { digests } from "../src/digests.ts";
import type { HandshakeFailure } from "../src/connection-entry.ts";
import { Listener } from "../src/listener.ts";
import { ProxySources } from "../src/proxy-sources.ts";
import { Session } from "../src/session.ts";
import { createSessionId } from "../src/session-id.ts";
import type { Decision, SessionPorts, SessionSettings } from "../src/session-ports.ts";
import { SessionTable } from "../src/session-table.ts";
import type { TlsOptions } from "../src/server-identity.ts";
import { tlsOptions } from "../src/settings.ts";
import { TicketKeys } from "../src/ticket-keys.ts";
import { platformClock, TimerWheel } from "../src/timer-wheel.ts";
import { NOTHING_CROSSED, type Uplink } from "../src/uplink.ts";

export const GATEWAY = "10.91.0.1";
export const USER = "alice";

/** Packets one by one: pings are answered at once, and everything that came is remembered. */
class RecordingUplink implements Uplink {
    readonly description = "recording";
    readonly carriesIpv6 = true;
    readonly packets: Uint8Array[] = [];
    /** Addresses of the sessions that have one, by slot. */
    readonly attached = new Map<number, string>();
    readonly #paths = new Map<number, PacketPath>();

    path(slot: number, ports: PathPorts): DataPath {
        const path = new PacketPath({
            ...ports,
            mtu: DEFAULTS.mtu,
            gateway: parseIpv4(GATEWAY),
            gatewayIpv6: undefined,
            forward: (bytes, at, size) => {
                const packet = bytes.slice(at, at + size);
                this.packets.push(packet);
                const reply = echoReply(packet);
                if (reply !== undefined) queueMicrotask(() => path.deliver(reply));
            },
            onLease: (address) => {
                if (address === undefined) this.attached.delete(slot);
                else this.attached.set(slot, address);
            },
        });
        this.#paths.set(slot, path);
        return path;
    }

    /** A packet from the network. */
    deliver(slot: number, packet: Uint8Array): void {
        this.#paths.get(slot)?.deliver(packet);
    }

    start = () => Promise.resolve();
    counters = () => NOTHING_CROSSED;
    stop = () => Promise.resolve();
}

/** The same stream in small pieces: TLS gives all records at once that have come. */
class Pieces extends Duplex {
    readonly #inner: Duplex;

    constructor(inner: Duplex, size: number) {
        // As objects, so that pieces which wait are not joined again.
        super({ readableObjectMode: true });
        this.#inner = inner;
        inner.on("data", (chunk: Buffer) => {
            for (let at = 0; at < chunk.length; at += size) this.push(chunk.subarray(at, at + size));
        });
        inner.on("end", () => this.push(null)).on("close", () => this.destroy());
    }

    override _read(): void {
        this.#inner.resume();
    }

    override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
        this.#inner.write(chunk, done);
    }

    override _final(done: () => void): void {
        this.#inner.end(done);
    }

    override _destroy(error: Error | null, done: (error: Error | null) => void): void {
        this.#inner.destroy();
        done(error);
    }
}

interface Ending {
    readonly session: string;
    readonly reason: EndReason;
    readonly counters: Counters;
    /** To the client, where there is no ingress in between. */
    readonly path: PathFigures | undefined;
}

export interface HarnessOptions {
    readonly settings?: Partial<SessionSettings>;
    /** Milliseconds that a decision takes. */
    readonly decisionDelay?: number;
    /** Authentication succeeds, but the keys never come. */
    readonly withoutKeys?: boolean;
    /** Sessions. */
    readonly capacity?: number;
    readonly proxyFrom?: readonly string[];
    readonly tls?: TlsOptions;
    readonly random?: () => number;
    /** Octets of the pieces in which sessions get their stream. */
    readonly pieces?: number;
    /** Of its ticket keys; a ticket lives an hour. */
    readonly secret?: Uint8Array;
    readonly pairs?: Awaited<ReturnType<typeof issuePairs>>;
}

const DEFAULTS: SessionSettings = {
    methods: ["mschapv2", "pap"],
    serverName: "vpn.example.test",
    hashProtocols: 3,
    negotiationTimeout: 5_000,
    negotiationPackets: 1_000,
    hello: 60_000,
    terminateTimeout: 500,
    authTimeout: 5_000,
    maxAttempts: 3,
    mtu: 1_400,
    gateway: GATEWAY,
    egress: { dataBytes: 262_144, totalBytes: 1_048_576 },
};

const ANY_TLS = tlsOptions({ tls: { minVersion: "TLSv1.2", maxVersion: "TLSv1.3", legacyCbc: false } });

const KEY_TYPES = ["rsa", "ecdsa"] as const;
type KeyType = (typeof KEY_TYPES)[number];
type KeyPairFiles = CertificateFiles["pairs"][number];

/** An authority, and certificates of it that several workers may have. */
export async function issuePairs() {
    const authority = await createCertificateAuthority();
    const issue = (keyType: KeyType) => authority.issue({ names: ["vpn.example.test", "127.0.0.1"], keyType });
    return { authority, issue, issued: { rsa: await issue("rsa"), ecdsa: await issue("ecdsa") } };
}

/** Starts a worker on loopback; `await using` ends it and everything that it holds. */
export async function startWorker(options: HarnessOptions = {}) {
    const directory = await createTemporaryDirectory("worker");
    const { authority, issue, issued } = options.pairs ?? (await issuePairs());
    const write = (keyType: KeyType, { cert, key }: Pick<IssuedCertificate, "cert" | "key">): KeyPairFiles => {
        const files = {
            certificate: path.join(directory.path, `${keyType}.pem`),
            key: path.join(directory.path, `${keyType}.key`),
        };
        writeFileSync(files.certificate, cert);
        writeFileSync(files.key, key, { mode: 0o600 });
        return files;
    };
    const pairs = KEY_TYPES.map((keyType) => write(keyType, issued[keyType]));
    const clock = { now: Date.now() };
    const log = createLogger({ service: "session-worker", instance: "test", level: "fatal" });
    const password = crypto.randomUUID();
    const uplink = new RecordingUplink();
    const sessions = new SessionTable(options.capacity ?? 100);
    const wheel = new TimerWheel(platformClock, 10);
    const started: string[] = [];
    const ended: Ending[] = [];
    const bindingFailures: string[] = [];
    const handshakes: ("client" | "health-check")[] = [];
    const secured: ("full" | "resumed")[] = [];
    const handshakeFailures: HandshakeFailure[] = [];
    const gaveUp: string[] = [];
    const answers: number[] = [];
    const snapshots = new Map<string, readonly SessionSnapshot[]>();
    const asked: string[] = [];
    let nextHost = 10;

    const paths = new PathWatch({ interval: 1_000, mostPerTurn: 1_000, onRtt: () => undefined });
    const principalOf = (session: string): string | undefined => sessions.get(session)?.facts?.admission.principal;
    const connections = new ConnectionTable({ paths, wallClock: () => Date.now(), principalOf });

    const decide: SessionPorts["decide"] = async ({ attempt }) => {
        asked.push(attempt.method);
        await new Promise((resolve) => setTimeout(resolve, options.decisionDelay ?? 0));
        const refusal: Decision = { outcome: "refused", failure: { error: 691, retry: false, message: "refused" } };
        if (attempt.user !== USER) return refusal;
        nextHost += 1;
        const admission = {
            epoch: 1,
            principal: USER,
            groups: [],
            method: attempt.method,
            policy: { pool: "default" },
            admittedAt: Date.now(),
            addresses: { address: `10.91.0.${nextHost}`, gateway: GATEWAY, dns: ["10.91.0.53"], nbns: [] },
            sessionTimeout: undefined,
            idleTimeout: undefined,
        };
        if (attempt.method === "pap") {
            const matches = Buffer.from(attempt.password).toString() === password;
            return matches ? { outcome: "admitted", message: "", hlak: KEYLESS_HLAK, admission } : refusal;
        }
        if (attempt.method !== "mschapv2") return refusal;
        const verdict = verifyMschapv2(digests, ntPasswordHash(password), attempt);
        if (verdict === undefined) return refusal;
        return {
            outcome: "admitted",
            message: verdict.message,
            hlak: options.withoutKeys === true ? undefined : verdict.hlak,
            admission,
        };
    };
    const ports: SessionPorts = {
        settings: { ...DEFAULTS, ...options.settings },
        wheel,
        now: () => performance.now(),
        wallClock: () => Date.now(),
        random: options.random ?? Math.random,
        log,
        uplink,
        closed: (session) => {
            sessions.remove(session);
            connections.remove(session);
        },
        decide,
        report: {
            started: ({ session }) => void started.push(session),
            ended: ({ session }, { reason, counters }) =>
                void ended.push({ session, reason, counters, path: connections.path(session) }),
            bindingFailed: (_session, _transport, { reason }) => void bindingFailures.push(reason),
            gaveUp: (_session, _transport, { reason }) => void gaveUp.push(reason),
            storeSnapshot: ({ session }, snapshot) => {
                snapshots.set(session, [...(snapshots.get(session) ?? []), snapshot]);
                return Promise.resolve(true);
            },
        },
    };
    const tickets = { lifetime: 3_600_000, tls12: true };
    const keys = new TicketKeys(options.secret ?? randomBytes(32), tickets, () => clock.now);
    const certificates = new CertificateStore([{ names: [], pairs }], options.tls ?? ANY_TLS, keys);
    const listener = new Listener(
        { host: "127.0.0.1", port: 0, headerTimeout: 500, handshakeTimeout: 2_000, maxConnections: 1_000 },
        {
            proxies: new ProxySources(options.proxyFrom ?? []),
            certificates,
            wheel,
            log,
            now: () => performance.now(),
            accepting: () => !sessions.isFull,
            tune: (socket) => void tune(socket, { noDelay: true }),
            onTransport: (accepted, { socket, direct }) => {
                const { stream } = accepted;
                const transport =
                    options.pieces === undefined
                        ? accepted
                        : { ...accepted, stream: new Pieces(stream, options.pieces) };
                const slot = sessions.takeSlot();
                if (slot === undefined) return;
                const session = createSessionId();
                connections.add(session, transport, socket, direct);
                sessions.add(Session.negotiate(session, slot, transport, ports));
            },
            onHandshake: (peer) => void handshakes.push(peer),
            onSecured: (how) => void secured.push(how),
            onFailure: (failure) => void handshakeFailures.push(failure),
            onAnswered: (status) => void answers.push(status),
            onDropped: () => undefined,
        },
    );
    const port = await listener.start();
    return {
        port,
        password,
        ca: authority.cert,
        ports,
        sessions,
        paths,
        connections,
        uplink,
        listener,
        started,
        ended,
        bindingFailures,
        handshakes,
        secured,
        handshakeFailures,
        gaveUp,
        answers,
        snapshots,
        /** Methods of the attempts that were brought to be decided. */
        asked,
        /** Wall-clock milliseconds of its ticket keys. */
        clock,
        replaceCertificate: async (keyType: KeyType) => {
            write(keyType, await issue(keyType));
            certificates.reload();
        },
        /** A client that speaks no SSTP by itself. */
        connectTls: (more: ConnectionOptions = {}): TLSSocket =>
            connectTls({
                host: "127.0.0.1",
                port,
                servername: "vpn.example.test",
                ca: authority.cert,
                ...more,
            }),
        dial: (more: Partial<SstpClientOptions> = {}): Promise<SstpClient> =>
            SstpClient.connect({
                host: "127.0.0.1",
                port,
                servername: "vpn.example.test",
                ca: authority.cert,
                user: USER,
                password,
                timeout: 5_000,
                ...more,
            }),
        async [Symbol.asyncDispose]() {
            for (const session of sessions.values()) session.cut("worker-stop");
            listener.stop();
            listener.destroyAll();
            await eventually(() => {
                if (sessions.size > 0 || uplink.attached.size > 0)
                    throw new Error(`${sessions.size} sessions, ${uplink.attached.size} routes left`);
            });
            wheel.stop();
            await directory[Symbol.asyncDispose]();
        },
    };
}
