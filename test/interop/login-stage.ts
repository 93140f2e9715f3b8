// Where the logins of docs/compatibility.md happen: one network, one installation that offers every method, one client machine.
import { readFile } from "node:fs/promises";
import { loadConfig, type Config } from "@postern/config";
import { parseDocument } from "yaml";
import { startFileServer } from "./file-transfer.ts";
import { RealClient } from "./real-client.ts";
import { startPostern, type ReadyFile, type RunningPostern } from "./running-postern.ts";
import { createTopology, type Topology } from "./topology.ts";

export const SERVER_NAME = "vpn.postern.test";
const METHODS = ["mschapv2", "eap", "chap", "pap"];
/** Every cell makes its own failures; what many of them lead to is tested elsewhere. */
const NO_BAN = 0;

/** Keys of postern.yaml by path. */
export type Settings = Readonly<Record<string, unknown>>;

export class LoginStage implements AsyncDisposable {
    readonly topology: Topology;
    readonly postern: RunningPostern;
    readonly client: RealClient;
    readonly ready: ReadyFile;
    /** PEM: the server's certificate is verified against it. */
    readonly authority: string;
    readonly #resources: AsyncDisposableStack;

    private constructor(
        topology: Topology,
        postern: RunningPostern,
        client: RealClient,
        ready: ReadyFile,
        authority: string,
        resources: AsyncDisposableStack,
    ) {
        this.topology = topology;
        this.postern = postern;
        this.client = client;
        this.ready = ready;
        this.authority = authority;
        this.#resources = resources;
    }

    /** `prepare` may start servers in the network; what it returns goes into postern.yaml. */
    static async open(
        prepare: (topology: Topology, resources: AsyncDisposableStack) => Promise<Settings> = () => Promise.resolve({}),
    ): Promise<LoginStage> {
        await using made = new AsyncDisposableStack();
        const topology = made.use(await createTopology());
        const settings = {
            "session-worker.ppp.methods": METHODS,
            "auth-broker.methods": METHODS,
            "auth-broker.ban.failures": NO_BAN,
            ...(await prepare(topology, made)),
        };
        await startFileServer(topology.inside);
        const configure = (yaml: string): string => withSettings(yaml, settings);
        const [client, postern] = await Promise.all([
            RealClient.boot(topology, { lifetime: 600_000 }),
            startPostern(topology.server, { name: SERVER_NAME, configure }),
        ]);
        made.use(client);
        made.use(postern);
        const ready = await postern.ready();
        return new LoginStage(topology, postern, client, ready, await readFile(ready.ca, "utf8"), made.move());
    }

    get config(): Config {
        return loadConfig(this.ready.config);
    }

    /** A new local user with a random password; `reversible`: CHAP-MD5 can be verified. */
    async addUser(name: string, ...options: readonly "--reversible"[]): Promise<string> {
        const output = await this.postern.cli("--json", "user", "add", name, "--generate", ...options);
        const { password }: { password: string } = JSON.parse(output);
        return password;
    }

    async sessions(): Promise<readonly { readonly principal: string; readonly address: string }[]> {
        return JSON.parse(await this.postern.cli("--json", "sessions"));
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.#resources[Symbol.asyncDispose]();
    }
}

function withSettings(yaml: string, settings: Settings): string {
    const document = parseDocument(yaml);
    for (const [path, value] of Object.entries(settings)) document.setIn(path.split("."), value);
    return String(document);
}
