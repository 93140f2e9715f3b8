// An Active Directory domain with one controller, Samba's, in a root of its own (tools/make-domain-root.sh).  Its services have fixed
// ports (LDAP, Kerberos, SMB, DNS), so it wants a network namespace that has nothing else.
import { execFile, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createCertificateAuthority } from "../certificates.ts";
import { waitForValue } from "../eventually.ts";
import { spawnBound } from "../spawn-bound.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../temporary-directory.ts";

const BUILDER = fileURLToPath(new URL("../../../../tools/make-domain-root.sh", import.meta.url));
const RUNNER = fileURLToPath(new URL("run-domain.sh", import.meta.url));
const BUILD_LIMIT_MS = 590_000;
const START_LIMIT_MS = 60_000;
const LOG_KEPT = 100_000;
const CONFIGURATION = "/run/domain/etc/smb.conf";

type Spawn = (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;

export interface DomainUser {
    readonly name: string;
    /** The domain wants seven characters, of three kinds. */
    readonly password: string;
    /** What is in the way of a login with the right password. */
    readonly state?: "disabled" | "expired" | "must-change" | "no-hours";
}

interface DomainGroup {
    readonly name: string;
    /** Users, or groups that come before. */
    readonly members: readonly string[];
}

export interface SambaDomainOptions {
    /** The first one must be able to log in. */
    readonly users: readonly [DomainUser, ...DomainUser[]];
    readonly groups?: readonly DomainGroup[];
    /** The name or address in its certificate; default 127.0.0.1. */
    readonly certificateName?: string;
    /** Starts its processes, in the network namespace; default `spawnBound`. */
    readonly spawn?: Spawn;
}

/** Founds the domain CORP, starts its controller and waits until that verifies the first user; `await using` ends and forgets it. */
export async function startSambaDomain(options: SambaDomainOptions): Promise<SambaDomain> {
    const { stdout } = await promisify(execFile)(BUILDER, { timeout: BUILD_LIMIT_MS });
    await using made = new AsyncDisposableStack();
    const state = made.use(await createTemporaryDirectory("domain"));
    await writeTlsFiles(state.path, options.certificateName ?? "127.0.0.1");
    const domain = made.use(new SambaDomain(stdout.trim(), state, options));
    await domain.untilReady();
    made.move();
    return domain;
}

async function writeTlsFiles(directory: string, name: string): Promise<void> {
    const authority = await createCertificateAuthority("authority of a domain", "rsa");
    const { cert, key } = await authority.issue({ names: [name], keyType: "rsa" });
    await mkdir(join(directory, "tls"));
    const files = { "ca.pem": authority.cert, "controller.pem": cert, "controller.key": key };
    for (const [file, text] of Object.entries(files))
        await writeFile(join(directory, "tls", file), text, { mode: 0o600 });
}

export class SambaDomain implements AsyncDisposable {
    readonly realm = "CORP.TEST";
    /** The DN of the domain. */
    readonly base = "DC=corp,DC=test";
    readonly #root: string;
    readonly #state: TemporaryDirectory;
    readonly #options: SambaDomainOptions;
    readonly #controller: ChildProcess;
    #log = "";

    constructor(root: string, state: TemporaryDirectory, options: SambaDomainOptions) {
        this.#root = root;
        this.#state = state;
        this.#options = options;
        const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"];
        this.#controller = this.#start("unshare", [...namespaces, RUNNER, root, state.path, this.realm]);
        this.#controller.stdin?.end(JSON.stringify({ users: options.users, groups: options.groups ?? [] }));
        for (const stream of [this.#controller.stdout, this.#controller.stderr]) {
            stream?.setEncoding("utf8").on("data", (text: string) => (this.#log = (this.#log + text).slice(-LOG_KEPT)));
        }
    }

    /** What the controller has said. */
    get log(): string {
        return this.#log;
    }

    /** The authority that its certificate for LDAP is from, a PEM file. */
    get caFile(): string {
        return join(this.#state.path, "tls/ca.pem");
    }

    /** For FreeRADIUS: the command that verifies an MS-CHAPv2 response of one of the domain's users. */
    async ntlmAuth(): Promise<string> {
        const name = "--username=%{%{mschap:User-Name}:-none}";
        const proof = ["--challenge=%{mschap:Challenge:-00}", "--nt-response=%{mschap:NT-Response:-00}"];
        const options = ["--request-nt-key", "--allow-mschapv2", "--domain=CORP", name, ...proof];
        return [...(await this.#ntlmAuth()), ...options].join(" ");
    }

    async untilReady(): Promise<void> {
        const [user] = this.#options.users;
        await waitForValue(async () => ((await this.#verifies(user)) ? true : undefined), {
            within: START_LIMIT_MS,
            every: 200,
            what: "the domain to verify a user",
        }).catch((error: unknown) => {
            throw new Error(`the domain did not start; it said:\n${this.#log}`, { cause: error });
        });
    }

    async [Symbol.asyncDispose](): Promise<void> {
        if (this.#controller.exitCode === null && this.#controller.signalCode === null) {
            const ended = once(this.#controller, "exit");
            this.#controller.kill("SIGKILL");
            await ended;
        }
        await this.#state[Symbol.asyncDispose]();
    }

    async #verifies({ name, password }: DomainUser): Promise<boolean> {
        const { exitCode, signalCode } = this.#controller;
        if (exitCode !== null || signalCode !== null)
            throw new Error(`the controller ended (${exitCode ?? signalCode})`);
        const [command, ...args] = [...(await this.#ntlmAuth()), "--helper-protocol=squid-2.5-basic"];
        const helper = this.#start(command, args);
        let answer = "";
        helper.stdout?.setEncoding("utf8").on("data", (text: string) => (answer += text));
        helper.stdin?.end(`${name} ${encodeURIComponent(password)}\n`);
        await once(helper, "close");
        return answer.startsWith("OK");
    }

    /** ntlm_auth(1) beside the controller, in its namespaces and its root. */
    async #ntlmAuth(): Promise<readonly string[]> {
        const children = `/proc/${this.#controller.pid}/task/${this.#controller.pid}/children`;
        const [pid = ""] = (await readFile(children, "utf8")).trim().split(" ");
        const enter = ["/usr/bin/nsenter", `--target=${pid}`, "--mount", "/usr/sbin/chroot", this.#root];
        return [...enter, "/usr/bin/ntlm_auth", `--configfile=${CONFIGURATION}`];
    }

    #start(command: string, args: readonly string[]): ChildProcess {
        return (this.#options.spawn ?? spawnBound)(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    }
}
