// A real OpenLDAP server with users, groups and a certificate of its own, as a process of the test.
import { execFile, type ChildProcess, type SpawnOptions } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { CertificateAuthority } from "../certificate-authority.ts";
import { createCertificateAuthority } from "../certificates.ts";
import { waitForValue } from "../eventually.ts";
import { spawnBound } from "../spawn-bound.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../temporary-directory.ts";
import { slapdConf, slapdLdif, type SlapdGroup, type SlapdUser } from "./slapd-conf.ts";

const INSTALLER = fileURLToPath(new URL("../../../../tools/install-slapd.sh", import.meta.url));
const START_LIMIT_MS = 20_000;
const LOG_KEPT = 1_000_000;

type Spawn = (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;

export interface SlapdOptions {
    readonly users: readonly SlapdUser[];
    readonly groups?: readonly SlapdGroup[];
    /** Default 127.0.0.1. */
    readonly address?: string;
    /** The name in its certificate; default `directory.postern.test`. */
    readonly certificateName?: string;
    /** Default: made for this server. */
    readonly authority?: CertificateAuthority;
    /** Default: made for this server. */
    readonly servicePassword?: string;
    /** Starts its processes, for instance in a network namespace; default `spawnBound`. */
    readonly spawn?: Spawn;
}

/** Starts a server and waits until it listens; `await using` ends it and removes its files. */
export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
    const [installation, authority, ldaps, ldap] = await Promise.all([
        installed(),
        options.authority ?? createCertificateAuthority("LDAP authority of a test"),
        freePort(),
        freePort(),
    ]);
    await using made = new AsyncDisposableStack();
    const directory = made.use(await createTemporaryDirectory("slapd"));
    const server = made.use(new Slapd(options, { installation, authority, directory, ldaps, ldap }));
    await server.fill();
    await server.start();
    made.move();
    return server;
}

interface Parts {
    readonly installation: string;
    readonly authority: CertificateAuthority;
    readonly directory: TemporaryDirectory;
    readonly ldaps: number;
    readonly ldap: number;
}

export class Slapd implements AsyncDisposable {
    /** Of the account that may look users up: `SERVICE_DN`. */
    readonly servicePassword: string;
    /** The name in its certificate. */
    readonly certificateName: string;
    readonly #options: SlapdOptions;
    readonly #parts: Parts;
    readonly #spawn: Spawn;
    #process: ChildProcess | undefined;
    #log = "";

    constructor(options: SlapdOptions, parts: Parts) {
        this.servicePassword = options.servicePassword ?? randomBytes(18).toString("base64url");
        this.certificateName = options.certificateName ?? "directory.postern.test";
        this.#options = options;
        this.#parts = parts;
        this.#spawn = options.spawn ?? spawnBound;
    }

    /** TLS from the first byte. */
    get ldaps(): string {
        return `ldaps://${this.#address}:${this.#parts.ldaps}`;
    }

    /** For StartTLS. */
    get ldap(): string {
        return `ldap://${this.#address}:${this.#parts.ldap}`;
    }

    /** The authority that its certificate is from, a PEM file. */
    get caFile(): string {
        return this.#path("ca.pem");
    }

    /** A file of mode 0600. */
    get passwordFile(): string {
        return this.#path("service-password");
    }

    get log(): string {
        return this.#log;
    }

    get #address(): string {
        return this.#options.address ?? "127.0.0.1";
    }

    /** Writes configuration and database: once. */
    async fill(): Promise<void> {
        const { users, groups = [] } = this.#options;
        const { installation, authority, directory } = this.#parts;
        const certificate = await authority.issue({ names: [this.certificateName] });
        const files = {
            "ca.pem": authority.cert,
            "server.pem": certificate.cert,
            "server.key": certificate.key,
            "service-password": this.servicePassword,
            "slapd.conf": slapdConf(directory.path, installation),
            "users.ldif": slapdLdif(users, groups, this.servicePassword),
        };
        await mkdir(this.#path("db"));
        for (const [name, text] of Object.entries(files)) await writeFile(this.#path(name), text, { mode: 0o600 });
        const options = ["-f", this.#path("slapd.conf"), "-l", this.#path("users.ldif")];
        await promisify(execFile)(join(installation, "bin/slapadd"), ["-q", "-w", ...options]);
    }

    /** Starts the process, also again after `kill`. */
    async start(): Promise<void> {
        if (this.#process !== undefined) throw new Error("slapd is already running");
        const program = this.#spawn(
            join(this.#parts.installation, "bin/slapd"),
            ["-d", "stats", "-f", this.#path("slapd.conf"), "-h", `${this.ldaps} ${this.ldap}`],
            { stdio: ["ignore", "ignore", "pipe"] },
        );
        this.#process = program;
        this.#log = "";
        program.stderr
            ?.setEncoding("utf8")
            .on("data", (text: string) => (this.#log = (this.#log + text).slice(-LOG_KEPT)));
        program.once("exit", () => (this.#process = undefined));
        await once(program, "spawn");
        await waitForValue(() => Promise.resolve(this.#listens()), {
            within: START_LIMIT_MS,
            every: 20,
            what: "slapd to listen",
        });
    }

    async kill(): Promise<void> {
        const program = this.#process;
        if (program === undefined) return;
        const ended = once(program, "exit");
        program.kill("SIGKILL");
        await ended;
    }

    /** Freezes it: the kernel takes connections, and nothing is answered. */
    pause(): void {
        this.#process?.kill("SIGSTOP");
    }

    resume(): void {
        this.#process?.kill("SIGCONT");
    }

    /** Connections that clients have to it now: sockets of the process beyond those that it listens on, as the kernel counts. */
    async connections(): Promise<number> {
        const pid = this.#process?.pid;
        if (pid === undefined) return 0;
        const names = await readdir(`/proc/${pid}/fd`);
        const targets = await Promise.all(
            names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "closed meanwhile")),
        );
        const { stdout } = await promisify(execFile)("cat", ["/proc/net/tcp"]);
        const inodes = new Set(
            stdout
                .split("\n")
                .map((line) => line.trim().split(/\s+/u))
                .filter(([, , , state]) => state === ESTABLISHED)
                .map((columns) => `socket:[${columns[9] ?? ""}]`),
        );
        return targets.filter((target) => inodes.has(target)).length;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.kill();
        await this.#parts.directory[Symbol.asyncDispose]();
    }

    #path(name: string): string {
        return join(this.#parts.directory.path, name);
    }

    /** By what it says: it may be in another network namespace. */
    #listens(): true | undefined {
        if (this.#process === undefined) throw new Error(`slapd ended at once:\n${this.#log}`);
        return this.#log.includes("slapd starting") ? true : undefined;
    }
}

/** The state of a connection in /proc/net/tcp, proc_net_tcp(5). */
const ESTABLISHED = "01";

/** Of the kernel's choice; somebody else may take it before the server does, which then says so and ends. */
async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    server.close();
    await once(server, "close");
    if (address === null || typeof address === "string") throw new Error("a TCP server without a port");
    return address.port;
}

let installation: Promise<string> | undefined;

/** The folder that the installer prints; it downloads only the first time on a machine. */
async function installed(): Promise<string> {
    installation ??= promisify(execFile)(INSTALLER).then(({ stdout }) => stdout.trim());
    return installation;
}
