// Workers that are real in what an ingress sees of them: TCP, a PROXY header, TLS, an HTTP status; behind it they repeat what they
// are told.  And the KV bucket that names them.
import { once } from "node:events";
import { connect as connectTcp, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, TLSSocket } from "node:tls";
import type { Bucket, Change } from "@postern/bus";
import { concatBytes } from "@postern/bytes";
import type { WorkerRecord } from "@postern/contracts";
import { decodeProxyHeader, type ProxyHeader } from "@postern/proxy-protocol";
import { createCertificateAuthority, eventually } from "@postern/testkit";

/** What a worker does with a connection. */
export type Behaviour =
    /** Probes get `401`, clients an echo. */
    | "ready"
    /** As `ready`, but probes get `503`. */
    | "unwilling"
    /** Accepts and says nothing. */
    | "stalled"
    /** Closes when it has read the first bytes. */
    | "hangs-up";

const authority = createCertificateAuthority();
const issued = authority.then((ca) => ca.issue({ names: ["vpn.example.test"] }));

export class FakeWorker implements AsyncDisposable {
    readonly name: string;
    /** PROXY headers of connections that were not probes, latest last. */
    readonly introduced: ProxyHeader[] = [];
    probes = 0;
    /** Probes that resumed an earlier TLS session. */
    resumed = 0;
    behaviour: Behaviour;
    readonly sockets = new Set<Socket>();
    readonly #server: Server;
    readonly #context: ReturnType<typeof createSecureContext>;

    private constructor(name: string, behaviour: Behaviour, context: ReturnType<typeof createSecureContext>) {
        this.name = name;
        this.behaviour = behaviour;
        this.#context = context;
        this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
    }

    static async start(name: string, behaviour: Behaviour = "ready", port = 0): Promise<FakeWorker> {
        const { key, cert } = await issued;
        const worker = new FakeWorker(name, behaviour, createSecureContext({ key, cert }));
        worker.#server.listen(port, "127.0.0.1");
        await once(worker.#server, "listening");
        return worker;
    }

    get port(): number {
        return (this.#server.address() as AddressInfo).port; // it listens on TCP
    }

    record(more: Partial<WorkerRecord> = {}): WorkerRecord {
        return {
            worker: this.name,
            epoch: 1,
            state: "ready",
            host: "test",
            endpoint: { host: "127.0.0.1", port: this.port },
            sessions: 0,
            capacity: 100,
            version: "0.1.0",
            ...more,
        };
    }

    /** No new connections, as of a process that is gone; those that are there are closed. */
    kill(): void {
        this.#server.close();
        for (const socket of this.sockets) socket.destroy();
    }

    async [Symbol.asyncDispose](): Promise<void> {
        this.kill();
        await eventually(() => this.sockets.size === 0, { what: `the sockets of ${this.name} to be closed` });
    }

    #serve(socket: Socket): void {
        this.sockets.add(socket);
        socket.on("close", () => this.sockets.delete(socket)).on("error", () => undefined);
        let bytes: Uint8Array = new Uint8Array(0);
        const onData = (chunk: Uint8Array): void => {
            bytes = concatBytes(bytes, chunk);
            if (this.behaviour === "stalled") return;
            const decoded = decodeProxyHeader(bytes);
            if (decoded === undefined) return;
            if (this.behaviour === "hangs-up") {
                if (bytes.length > decoded.size) socket.destroy();
                return;
            }
            socket.off("data", onData).pause();
            socket.unshift(bytes.subarray(decoded.size));
            this.#speak(socket, decoded.header);
        };
        socket.on("data", onData);
    }

    #speak(socket: Socket, header: ProxyHeader): void {
        const tls = new TLSSocket(socket, { isServer: true, secureContext: this.#context });
        tls.on("error", () => undefined).on("_tlsError", () => socket.destroy());
        let isProbe = false;
        tls.once("data", (first: Buffer) => {
            isProbe = first.toString("latin1").startsWith("HEAD ");
            if (!isProbe) this.introduced.push(header);
            else {
                this.probes += 1;
                if (tls.isSessionReused()) this.resumed += 1;
                const status = this.behaviour === "unwilling" ? "503 Service Unavailable" : "401 Unauthorized";
                tls.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
            }
        });
        tls.on("data", (chunk: Buffer) => {
            if (!isProbe) tls.write(Buffer.concat([Buffer.from(`${this.name}:`), chunk]));
        });
        tls.on("end", () => tls.end());
    }
}

/** The bucket `workers`, or `bans`, as far as an ingress uses it. */
export class FakeBucket<V> implements Pick<Bucket<V>, "watch"> {
    #listener: (change: Change<V>) => void = () => undefined;
    #revision = 0;
    isWatched = false;

    watch(onChange: (change: Change<V>) => void): Promise<{ ready: Promise<void>; stop: () => void }> {
        this.#listener = onChange;
        this.isWatched = true;
        return Promise.resolve({ ready: Promise.resolve(), stop: () => (this.isWatched = false) });
    }

    put(key: string, value: V): void {
        this.#revision += 1;
        this.#listener({ kind: "put", entry: { key, value, revision: this.#revision } });
    }

    gone(key: string, expired: boolean): void {
        this.#revision += 1;
        this.#listener({ kind: "gone", key, revision: this.#revision, expired });
    }
}

export interface Client extends AsyncDisposable {
    readonly tls: TLSSocket;
    /** What a worker made of `text`: `w1:text`. */
    say(text: string): Promise<string>;
}

/** A TLS client; rejects when the connection does not come about.  `before` goes first, as a balancer would send it. */
export async function dial(
    port: number,
    options: { before?: readonly Uint8Array[]; host?: string; localAddress?: string } = {},
): Promise<Client> {
    const { host = "127.0.0.1", before = [], localAddress } = options;
    const tcp = connectTcp({ port, host, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) });
    await once(tcp, "connect");
    tcp.on("error", () => undefined);
    for (const piece of before) {
        tcp.write(piece);
        await new Promise((resolve) => setImmediate(resolve));
    }
    const { cert } = await authority;
    const tls = connectTls({ socket: tcp, ca: cert, servername: "vpn.example.test" });
    const [error] = await Promise.race([
        once(tls, "secureConnect"),
        once(tls, "close").then(() => [new Error("closed before TLS was up")]),
    ]);
    if (error !== undefined) throw error as Error; // only the second of the two has a value
    tls.on("error", () => undefined);
    return {
        tls,
        async say(text) {
            tls.write(text);
            const [answer] = (await once(tls, "data")) as [Buffer]; // no encoding is set
            return answer.toString();
        },
        async [Symbol.asyncDispose]() {
            tcp.destroy();
            await eventually(() => tls.destroyed, { what: "the client to be closed" });
        },
    };
}
