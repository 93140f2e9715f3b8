// ocserv with `openconnect --no-dtls`: TLS alone, a worker process for each client, one packet for each system call and TLS record.
// Its settings are those that make it fastest here: no seccomp filter, no compression, AES-128-GCM, the MTU that postern has.
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { InvariantError } from "@postern/errors";
import { createCertificateAuthority, createTemporaryDirectory, waitForValue } from "@postern/testkit";
import type { NetworkNamespace } from "../../test/interop/network-namespace.ts";
import { childrenNamed } from "../child-processes.ts";
import { addSourceRoute, deleteSourceRule, type SourceRoute } from "../client/source-route.ts";
import { SERVER_ADDRESS, type Topology } from "../topology.ts";
import { endProcess, type Peer, TUNNEL_MTU, type Tunnels } from "./peer.ts";

const PORT = 4_443;
const GATEWAY = "10.95.0.1";
const USER = "bench";
const FIRST_TABLE = 1_000;
const OPEN_WITHIN = { within: 20_000, every: 20 };
/** What ocserv subtracts from `mtu` for CSTP and TLS 1.2 with AES-GCM. */
const OVERHEAD = 28;

const settings = (directory: string): string => `
auth = "plain[passwd=${directory}/passwords]"
listen-host = ${SERVER_ADDRESS}
tcp-port = ${PORT}
run-as-user = root
run-as-group = root
socket-file = ${directory}/ocserv.sock
pid-file = ${directory}/ocserv.pid
server-cert = ${directory}/server.pem
server-key = ${directory}/server.key
tls-priorities = "NORMAL:%SERVER_PRECEDENCE:-CIPHER-ALL:+AES-128-GCM"
isolate-workers = false
use-occtl = false
max-clients = 64
max-same-clients = 64
rate-limit-ms = 0
keepalive = 32400
dpd = 1800
mobile-dpd = 1800
try-mtu-discovery = false
compression = false
device = vpns
ipv4-network = 10.95.0.0
ipv4-netmask = 255.255.0.0
mtu = ${TUNNEL_MTU + OVERHEAD}
log-level = 1
`;

/** Instead of vpnc-script, which would change the host's routes: says what was agreed. */
const REPORT = `#!/bin/sh
[ "$reason" = connect ] || exit 0
printf '%s %s' "$INTERNAL_IP4_ADDRESS" "$INTERNAL_IP4_MTU" >"$BENCH_REPORT.new" && mv "$BENCH_REPORT.new" "$BENCH_REPORT"
`;

export class OcservPeer implements Peer, AsyncDisposable {
    readonly name = "ocserv";
    readonly #clients: NetworkNamespace;
    readonly #directory: string;
    readonly #password: string;
    readonly #server: ChildProcess;
    readonly #undo: AsyncDisposableStack;
    #opened = 0;

    private constructor(
        clients: NetworkNamespace,
        directory: string,
        password: string,
        server: ChildProcess,
        undo: AsyncDisposableStack,
    ) {
        this.#clients = clients;
        this.#directory = directory;
        this.#password = password;
        this.#server = server;
        this.#undo = undo;
    }

    static async start({ clients, servers }: Topology): Promise<OcservPeer> {
        await using undo = new AsyncDisposableStack();
        const directory = undo.use(await createTemporaryDirectory("ocserv")).path;
        const authority = await createCertificateAuthority("Bench authority");
        const { key, cert } = await authority.issue({ names: [SERVER_ADDRESS] });
        const password = randomBytes(12).toString("hex");
        const files = { "authority.pem": authority.cert, "server.pem": cert, "server.key": key, report: REPORT };
        for (const [name, content] of Object.entries(files)) {
            writeFileSync(path.join(directory, name), content, { mode: 0o600 });
        }
        chmodSync(path.join(directory, "report"), 0o700);
        writeFileSync(path.join(directory, "ocserv.conf"), settings(directory));
        await addPassword(servers, path.join(directory, "passwords"), password);
        const line = ["--foreground", "--config", path.join(directory, "ocserv.conf")];
        const server = servers.spawn("ocserv", line, { stdio: ["ignore", "ignore", "pipe"] });
        undo.defer(() => endProcess(server));
        let said = "";
        server.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4_000)));
        await waitForValue(
            () => (said.includes("listening (TCP)") || undefined) ?? endedWith(server, said),
            OPEN_WITHIN,
        );
        return new OcservPeer(clients, directory, password, server, undo.move());
    }

    async open(count: number): Promise<Tunnels> {
        await using undo = new AsyncDisposableStack();
        const addresses = await Promise.all(Array.from({ length: count }, () => this.#dial(undo)));
        const workers = await waitForValue(() => {
            const pids = childrenNamed(this.#server.pid ?? 0, "ocserv-worker");
            return pids.length === count ? pids : undefined;
        }, OPEN_WITHIN);
        const resources = undo.move();
        return {
            addresses,
            gateway: GATEWAY,
            workers,
            [Symbol.asyncDispose]: async () => {
                await resources.disposeAsync();
                const gone = (): true | undefined =>
                    childrenNamed(this.#server.pid ?? 0, "ocserv-worker").length === 0 || undefined;
                await waitForValue(gone, { ...OPEN_WITHIN, what: "ocserv's workers to end" });
            },
        };
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.#undo.disposeAsync();
    }

    /** Resolves with the client's inner address. */
    async #dial(undo: AsyncDisposableStack): Promise<string> {
        this.#opened += 1;
        const table = FIRST_TABLE + this.#opened;
        const device = `oc${this.#opened}`;
        const report = path.join(this.#directory, `${device}.report`);
        const server = ["--no-dtls", "--cafile", path.join(this.#directory, "authority.pem"), "--no-system-trust"];
        const login = ["--user", USER, "--passwd-on-stdin", "--non-inter"];
        const tunnel = ["--base-mtu", "1500", "--interface", device, "--script", path.join(this.#directory, "report")];
        const client = this.#clients.spawn(
            "openconnect",
            [...server, ...login, ...tunnel, `https://${SERVER_ADDRESS}:${PORT}`],
            { stdio: ["pipe", "ignore", "pipe"], env: { ...process.env, BENCH_REPORT: report } },
        );
        undo.defer(() => endProcess(client));
        let said = "";
        client.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4_000)));
        client.stdin?.end(`${this.#password}\n`);
        await waitForValue(() => (existsSync(report) || undefined) ?? endedWith(client, said), OPEN_WITHIN);
        const [address = "", mtu = ""] = readFileSync(report, "utf8").split(" ");
        if (Number(mtu) !== TUNNEL_MTU) throw new InvariantError(`ocserv gave an MTU of ${mtu}, not ${TUNNEL_MTU}`);
        const route: SourceRoute = { source: address, destination: GATEWAY, device, table };
        await this.#clients.ip("link", "set", device, "mtu", mtu, "up");
        await this.#clients.ip("address", "add", `${address}/32`, "dev", device);
        for (const command of addSourceRoute(route)) await this.#clients.ip(...command);
        undo.defer(async () => void (await this.#clients.ip(...deleteSourceRule(route))));
        return address;
    }
}

/** By ocpasswd(8), which asks for it twice. */
async function addPassword(namespace: NetworkNamespace, file: string, password: string): Promise<void> {
    const command = namespace.spawn("ocpasswd", ["--passwd", file, USER], { stdio: ["pipe", "ignore", "inherit"] });
    command.stdin?.end(`${password}\n${password}\n`);
    const [status] = (await once(command, "exit")) as [number | null]; // of child_process
    if (status !== 0) throw new InvariantError(`ocpasswd ended with ${status}`);
}

/** `undefined` while it runs. */
function endedWith(child: ChildProcess, said: string): undefined {
    if (child.exitCode === null && child.signalCode === null) return undefined;
    throw new InvariantError(`${child.spawnargs.join(" ")} ended:\n${said}`);
}
