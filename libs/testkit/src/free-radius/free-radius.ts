// A real FreeRADIUS with a configuration and users of its own, as a process of the test.
import { execFile, type ChildProcess, type SpawnOptions } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { CertificateAuthority } from "../certificate-authority.ts";
import { createCertificateAuthority } from "../certificates.ts";
import { waitForValue } from "../eventually.ts";
import { spawnBound } from "../spawn-bound.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../temporary-directory.ts";
import { type RadiusUser, writeRaddb } from "./raddb.ts";

const INSTALLER = fileURLToPath(new URL("../../../../tools/install-freeradius.sh", import.meta.url));
const START_LIMIT_MS = 20_000;
const LOG_KEPT = 1_000_000;

type Spawn = (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;

export interface FreeRadiusOptions {
    readonly users: readonly RadiusUser[];
    /** Default 127.0.0.1. */
    readonly address?: string;
    /** Of authentication; accounting has the next one.  Default: one that is free. */
    readonly port?: number;
    /** Default: made for this server. */
    readonly secret?: string;
    /** The name in the certificate for EAP-TLS and PEAP; default `radius.postern.test`. */
    readonly serverName?: string;
    /** See `RaddbOptions`. */
    readonly ntlmAuth?: string;
    /** Further text of radiusd.conf. */
    readonly extra?: string;
    /** Starts its processes, for instance in a network namespace; default `spawnBound`. */
    readonly spawn?: Spawn;
}

/** Starts a server and waits until it answers Status-Server; `await using` ends it and removes its configuration. */
export async function startFreeRadius(options: FreeRadiusOptions): Promise<FreeRadius> {
    const [installation, authority, port] = await Promise.all([
        installed(),
        createCertificateAuthority("EAP authority of a test", "rsa"),
        options.port ?? freePort(),
    ]);
    await using made = new AsyncDisposableStack();
    const directory = made.use(await createTemporaryDirectory("freeradius"));
    const server = made.use(new FreeRadius({ ...options, port }, { installation, authority, directory }));
    await server.start();
    made.move();
    return server;
}

interface Parts {
    readonly installation: string;
    readonly authority: CertificateAuthority;
    readonly directory: TemporaryDirectory;
}

export class FreeRadius implements AsyncDisposable {
    readonly address: string;
    /** UDP, of authentication; accounting has the next one. */
    readonly port: number;
    readonly secret: string;
    /** The name in its certificate. */
    readonly serverName: string;
    /** Of its certificate, and of those that clients of EAP-TLS need. */
    readonly authority: CertificateAuthority;
    readonly #options: FreeRadiusOptions;
    readonly #parts: Parts;
    readonly #spawn: Spawn;
    #process: ChildProcess | undefined;
    #log = "";

    constructor(options: FreeRadiusOptions & { readonly port: number }, parts: Parts) {
        this.address = options.address ?? "127.0.0.1";
        this.port = options.port;
        this.secret = options.secret ?? randomBytes(24).toString("base64url");
        this.serverName = options.serverName ?? "radius.postern.test";
        this.authority = parts.authority;
        this.#options = options;
        this.#parts = parts;
        this.#spawn = options.spawn ?? spawnBound;
    }

    /** A file of mode 0600 with the shared secret. */
    get secretFile(): string {
        return join(this.#raddb, "secret");
    }

    /** `undefined` while it is down. */
    get pid(): number | undefined {
        return this.#process?.pid;
    }

    /** What it has printed: with `auth = yes` a line for every login. */
    get log(): string {
        return this.#log;
    }

    /** Starts the process, also again after `stop` or `kill`, with the same users, port and secret. */
    async start(): Promise<void> {
        if (this.#process !== undefined) throw new Error("FreeRADIUS is already running");
        const { installation, authority } = this.#parts;
        const { users, ntlmAuth, extra } = this.#options;
        const { address, port, secret, serverName } = this;
        await writeRaddb(this.#raddb, {
            users,
            address,
            port,
            secret,
            serverName,
            authority,
            installation,
            ...(ntlmAuth === undefined ? {} : { ntlmAuth }),
            ...(extra === undefined ? {} : { extra }),
        });
        const program = this.#spawn(join(installation, "bin/freeradius"), ["-f", "-l", "stdout", "-d", this.#raddb], {
            stdio: ["ignore", "pipe", "pipe"],
        });
        this.#process = program;
        for (const stream of [program.stdout, program.stderr]) {
            stream?.setEncoding("utf8").on("data", (text: string) => (this.#log = (this.#log + text).slice(-LOG_KEPT)));
        }
        program.once("exit", () => (this.#process = undefined));
        await once(program, "spawn");
        await waitForValue(() => this.#answers(), { within: START_LIMIT_MS, every: 50, what: "FreeRADIUS to answer" });
    }

    /** SIGTERM, and its end. */
    async stop(): Promise<void> {
        await this.#end("SIGTERM");
    }

    async kill(): Promise<void> {
        await this.#end("SIGKILL");
    }

    /** Freezes it: requests arrive and nothing is answered. */
    pause(): void {
        this.#process?.kill("SIGSTOP");
    }

    resume(): void {
        this.#process?.kill("SIGCONT");
    }

    /**
     * radclient(1) against this server, with the given attributes on its standard input, one a line; resolves with what it
     * prints, whatever its exit status.
     */
    async radclient(kind: "auth" | "acct" | "status", attributes: string, patience = 3): Promise<string> {
        const port = kind === "acct" ? this.port + 1 : this.port;
        const client = this.#spawn(
            join(this.#parts.installation, "bin/radclient"),
            ["-x", "-r", "1", "-t", String(patience), "-S", this.secretFile, `${this.address}:${port}`, kind],
            { stdio: ["pipe", "pipe", "pipe"] },
        );
        let output = "";
        for (const stream of [client.stdout, client.stderr]) {
            stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
        }
        client.stdin?.end(`${attributes}\n`);
        await once(client, "close");
        return output;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.kill();
        await this.#parts.directory[Symbol.asyncDispose]();
    }

    get #raddb(): string {
        return join(this.#parts.directory.path, "raddb");
    }

    async #answers(): Promise<true | undefined> {
        if (this.#process === undefined) throw new Error(`FreeRADIUS ended at once:\n${this.#log}`);
        const output = await this.radclient("status", "Message-Authenticator = 0x00", 1);
        return output.includes("Received Access-Accept") ? true : undefined;
    }

    async #end(signal: NodeJS.Signals): Promise<void> {
        const program = this.#process;
        if (program === undefined) return;
        const ended = once(program, "exit");
        program.kill(signal);
        program.kill("SIGCONT");
        await ended;
    }
}

/** Two in a row, of the kernel's choice; somebody else may take them before the server does, which then says so and ends. */
async function freePort(): Promise<number> {
    const [first, second] = [createSocket("udp4"), createSocket("udp4")];
    try {
        first.bind(0, "127.0.0.1");
        await once(first, "listening");
        const { port } = first.address();
        second.bind(port + 1, "127.0.0.1");
        return await once(second, "listening").then(
            () => port,
            () => freePort(),
        );
    } finally {
        first.close();
        second.close();
    }
}

let installation: Promise<string> | undefined;

/** The folder that the installer prints; it downloads only the first time on a machine. */
export async function installed(): Promise<string> {
    installation ??= promisify(execFile)(INSTALLER).then(({ stdout }) => stdout.trim());
    return installation;
}
