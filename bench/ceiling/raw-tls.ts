// The ceiling: a bare TLS server of Node in the servers' namespace, with the cipher that workers prefer.
import { createCertificateAuthority } from "@postern/testkit";
import type { Direction } from "../load/iperf3.ts";
import { sharesOf } from "../shares.ts";
import { SERVER_ADDRESS, type Topology } from "../topology.ts";
import { TaskProcess } from "../task-process.ts";
import type { ConnectQuestion, TransferQuestion } from "./client-main.ts";
import type { ListenQuestion } from "./server-main.ts";

const FIRST_PORT = 4_444;
const CONCURRENCY = 16;
/** Of the certificate and of the key exchange. */
export const CURVE = "P-256";

export interface RawTlsOptions {
    /** How many processes connect. */
    readonly processes?: number;
    /** Whether the server has the V8 flag that workers set: docs/adr/0016. */
    readonly sweepsAtOnce?: boolean;
}

export class RawTls implements AsyncDisposable {
    readonly #server: TaskProcess;
    readonly #clients: readonly TaskProcess[];
    readonly #authority: string;
    readonly #port: number;

    private constructor(server: TaskProcess, clients: readonly TaskProcess[], authority: string, port: number) {
        this.#server = server;
        this.#clients = clients;
        this.#authority = authority;
        this.#port = port;
    }

    /** Two that differ in `sweepsAtOnce` can be beside each other. */
    static async start(
        { clients, servers }: Topology,
        { processes = 1, sweepsAtOnce = false }: RawTlsOptions = {},
    ): Promise<RawTls> {
        const port = FIRST_PORT + Number(sweepsAtOnce);
        const authority = await createCertificateAuthority("Bench authority");
        const { key, cert } = await authority.issue({ names: [SERVER_ADDRESS] });
        const server = TaskProcess.start(servers, "ceiling/server-main.ts");
        const question: ListenQuestion = {
            host: SERVER_ADDRESS,
            port,
            key,
            cert,
            ciphers: "TLS_AES_128_GCM_SHA256",
            sweepsAtOnce,
        };
        await server.ask("listen", question);
        const connecting = Array.from({ length: processes }, () =>
            TaskProcess.start(clients, "ceiling/client-main.ts"),
        );
        return new RawTls(server, connecting, authority.cert, port);
    }

    get server(): number {
        return this.#server.pid;
    }

    /** Opens `count` connections, by full handshakes, and keeps them. */
    async connect(count: number): Promise<void> {
        const question = {
            host: SERVER_ADDRESS,
            port: this.#port,
            ca: this.#authority,
            ecdhCurve: CURVE,
            concurrency: CONCURRENCY,
        };
        const shares = sharesOf(count, this.#clients.length);
        await Promise.all(
            this.#clients.map((client, index) =>
                client.ask("connect", { ...question, count: shares[index] ?? 0 } satisfies ConnectQuestion),
            ),
        );
    }

    async disconnect(): Promise<void> {
        await Promise.all(this.#clients.map((client) => client.ask("disconnect")));
    }

    /** Bits that one connection moved, of the first process. */
    async transfer(direction: Direction, seconds: number): Promise<number> {
        const [client] = this.#clients;
        await this.connect(this.#clients.length);
        const bits = await client?.ask<number>("transfer", { direction, seconds } satisfies TransferQuestion);
        await this.disconnect();
        return bits ?? 0;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        for (const client of this.#clients) await client[Symbol.asyncDispose]();
        await this.#server[Symbol.asyncDispose]();
    }
}
