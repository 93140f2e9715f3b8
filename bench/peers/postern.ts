// Postern as `make start` runs it, with one worker.  Clients come to the worker itself or through the ingresses.
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { InvariantError } from "@postern/errors";
import { type ReadyFile, type RunningPostern, startPostern } from "../../test/interop/running-postern.ts";
import { LoadClient } from "../client/load-client.ts";
import { SERVER_ADDRESS, type Topology } from "../topology.ts";
import { type Peer, TUNNEL_MTU, type Tunnels } from "./peer.ts";
import { configure, WORKER_PORT } from "./postern-configuration.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NAME = "vpn.example.test";
const INGRESS_PORT = 443;

/** Where clients connect to. */
export type Door = "worker" | "ingress";

export interface Credentials {
    readonly user: string;
    readonly password: string;
}

export interface Target {
    readonly host: string;
    readonly port: number;
    readonly servername: string;
    /** A PEM file. */
    readonly ca: string;
}

export class PosternPeer implements Peer, AsyncDisposable {
    readonly name = "postern";
    readonly #topology: Topology;
    readonly #postern: RunningPostern;
    readonly #ready: ReadyFile;
    #opened = 0;

    private constructor(topology: Topology, postern: RunningPostern, ready: ReadyFile) {
        this.#topology = topology;
        this.#postern = postern;
        this.#ready = ready;
    }

    static async start(topology: Topology): Promise<PosternPeer> {
        const postern = await startPostern(topology.servers, { name: NAME, port: INGRESS_PORT, configure });
        return new PosternPeer(topology, postern, await postern.ready());
    }

    get worker(): number {
        return this.#pid("session-worker");
    }

    target(door: Door): Target {
        const port = door === "worker" ? WORKER_PORT : INGRESS_PORT;
        return { host: SERVER_ADDRESS, port, servername: NAME, ca: this.#ready.ca };
    }

    /** All processes of these services; none of the launcher. */
    pids(...services: readonly string[]): number[] {
        return services.flatMap((service) => this.#ready.pids[service] ?? []);
    }

    /** One process of ours holds all sessions, at the worker itself. */
    async open(count: number): Promise<Tunnels> {
        return this.openAt("worker", count);
    }

    async openAt(door: Door, count: number): Promise<Tunnels> {
        this.#opened += 1;
        const { host, port, servername, ca } = this.target(door);
        const { user, password } = this.#ready;
        const options = {
            server: `${host}:${port}`,
            servername,
            ca,
            user,
            sessions: count,
            device: `p${this.#opened}-`,
            mtu: TUNNEL_MTU,
            "first-table": 10_000 + 100 * this.#opened,
        };
        const client = await LoadClient.start(this.#topology.clients, options, password);
        return {
            ...client.report,
            workers: door === "worker" ? [this.worker] : [this.worker, ...this.pids("ingress")],
            [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
        };
    }

    /** `prefix`: of names that nobody has yet. */
    async addUsers(count: number, prefix = "bench"): Promise<Credentials[]> {
        const users = Array.from({ length: count }, (_, index) => ({
            user: `${prefix}-${index}`,
            password: randomBytes(12).toString("hex"),
        }));
        // Most of it is the start of the command.
        const waiting = [...users];
        const add = async (): Promise<void> => {
            for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await this.#addUser(next);
        };
        await Promise.all([add(), add()]);
        return users;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.#postern[Symbol.asyncDispose]();
    }

    #pid(service: string): number {
        const pid = this.#ready.pids[service]?.[0];
        if (pid === undefined) throw new InvariantError(`there is no ${service}`);
        return pid;
    }

    async #addUser({ user, password }: Credentials): Promise<void> {
        const command = this.#topology.servers.spawn(path.join(ROOT, "bin/postern"), ["user", "add", user], {
            stdio: ["pipe", "ignore", "inherit"],
            env: { ...process.env, POSTERN_CONFIG: this.#ready.config },
        });
        command.stdin?.end(`${password}\n`);
        const [status] = (await once(command, "exit")) as [number | null]; // of child_process
        if (status !== 0) throw new InvariantError(`postern user add ended with ${status}`);
    }
}
