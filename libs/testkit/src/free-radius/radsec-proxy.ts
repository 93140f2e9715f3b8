// A real radsecproxy: takes RADIUS over TLS and asks a RADIUS server over UDP.
import { once } from "node:events";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificateAuthority } from "../certificate-authority.ts";
import { createCertificateAuthority } from "../certificates.ts";
import { waitForValue } from "../eventually.ts";
import { spawnBound } from "../spawn-bound.ts";
import { createTemporaryDirectory } from "../temporary-directory.ts";
import { installed, type FreeRadius } from "./free-radius.ts";

const START_LIMIT_MS = 20_000;

export interface RadsecProxyOptions {
    /** Who decides. */
    readonly radius: Pick<FreeRadius, "address" | "port" | "secret">;
    /** Where it listens, TCP. */
    readonly port: number;
    /** The only host that it serves; default 127.0.0.1. */
    readonly client?: string;
    /** Starts the process, for instance in a network namespace; default `spawnBound`. */
    readonly spawn?: (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;
}

export interface RadsecProxy extends AsyncDisposable {
    /** `host:port` */
    readonly address: string;
    /** Of its certificate, which is for the address, and of those that its clients need. */
    readonly authority: CertificateAuthority;
    /** PEM files for its client: the authority, a certificate, and its key of mode 0600. */
    readonly files: { readonly ca: string; readonly certificate: string; readonly key: string };
    readonly log: () => string;
}

/** Starts a proxy and waits until it listens; `await using` ends it and removes its files. */
export async function startRadsecProxy(options: RadsecProxyOptions): Promise<RadsecProxy> {
    const { radius, port, spawn = spawnBound, client = "127.0.0.1" } = options;
    await using made = new AsyncDisposableStack();
    const directory = made.use(await createTemporaryDirectory("radsecproxy"));
    const authority = await createCertificateAuthority("RadSec authority of a test", "rsa");
    const file = async (name: string, text: string): Promise<string> => {
        const path = join(directory.path, name);
        await writeFile(path, text, { mode: 0o600 });
        return path;
    };
    const own = await authority.issue({ names: [radius.address], keyType: "rsa" });
    const theirs = await authority.issue({ names: ["postern"], keyType: "rsa" });
    const ca = await file("ca.pem", authority.cert);
    const settings = await file(
        "radsecproxy.conf",
        `
ListenTLS ${radius.address}:${port}
LogLevel 2
tls default {
    CACertificateFile ${ca}
    CertificateFile ${await file("proxy.pem", own.cert)}
    CertificateKeyFile ${await file("proxy.key", own.key)}
}
client ${client} {
    type tls
    secret radsec
    certificateNameCheck off
}
server company {
    host ${radius.address}
    port ${radius.port}
    type udp
    secret ${radius.secret}
}
realm * {
    server company
}
`,
    );
    const program = spawn(join(await installed(), "bin/radsecproxy"), ["-f", "-c", settings], {
        stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    for (const stream of [program.stdout, program.stderr]) {
        stream?.setEncoding("utf8").on("data", (text: string) => (log += text));
    }
    let ended = false;
    const end = once(program, "exit").then(() => (ended = true));
    made.defer(async () => {
        program.kill("SIGKILL");
        await end;
    });
    await waitForValue(
        () => {
            if (ended) throw new Error(`radsecproxy ended at once:\n${log}`);
            return Promise.resolve(log.includes("listening for tls") ? true : undefined);
        },
        { within: START_LIMIT_MS, every: 50, what: "radsecproxy to listen" },
    );
    const files = {
        ca,
        certificate: await file("client.pem", theirs.cert),
        key: await file("client.key", theirs.key),
    };
    const resources = made.move();
    return {
        address: `${radius.address}:${port}`,
        authority,
        files,
        log: () => log,
        [Symbol.asyncDispose]: () => resources.disposeAsync(),
    };
}
