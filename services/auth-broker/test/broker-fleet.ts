// Brokers on a real nats-server, each with the permissions of its role, and the workers and registry around them.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAccount, type AccountCipher, type NewAccount } from "@postern/accounts";
import { applyBus, connectBus, createSeed, natsPermissions, type Bus, type BusUser } from "@postern/bus";
import { parseConfig } from "@postern/config";
import {
    authContinue,
    authStart,
    BUCKETS,
    encodeKey,
    registryBan,
    type AuthAnswer,
    type AuthResult,
    type AuthStartQuestion,
    type BanQuestion,
    type Role,
} from "@postern/contracts";
import { generateKeyPair, generateRecordKey, recordCipher, writeKeyFile } from "@postern/sealing";
import type { Service } from "@postern/service";
import { createMetrics, type Metrics } from "@postern/telemetry";
import { createTemporaryDirectory, KeptLog, type NatsServer, startNatsServer } from "@postern/testkit";
import { createBroker } from "../src/service.ts";
import { CollectedEvents } from "./collected-events.ts";
import { LoginClient, type LoginOptions } from "./login-client.ts";

const ROLES: Readonly<Record<string, Role>> = {
    root: "admin",
    a1: "auth-broker",
    a2: "auth-broker",
    w1: "session-worker",
    r1: "session-registry",
};

interface Replica {
    readonly service: Service;
    readonly bus: Bus;
    readonly events: CollectedEvents;
    readonly metrics: Metrics;
    readonly log: KeptLog;
}

export interface BrokerFleet extends AsyncDisposable {
    readonly server: NatsServer;
    /** Holds the key files and the seeds of all instances. */
    readonly directory: string;
    readonly worker: Bus;
    readonly registry: Bus;
    readonly cipher: AccountCipher;
    readonly bans: readonly BanQuestion[];
    readonly replicas: ReadonlyMap<string, Replica>;
    /** Starts a broker; `settings` is YAML below `auth-broker:`. */
    startBroker(instance: string, settings?: string): Promise<Replica>;
    /** As SIGKILL does: the connection is gone, nothing else happens. */
    kill(instance: string): Promise<void>;
    putAccount(account: NewAccount): Promise<void>;
    client(options: Pick<LoginOptions, "user" | "password"> & Partial<LoginOptions>): LoginClient;
    /** Asks as a worker does, until there is a result. */
    login(question: AuthStartQuestion): Promise<Exclude<AuthResult, { state: "pending" }>>;
    start(question: AuthStartQuestion): Promise<AuthAnswer>;
    /** Names of the events that reach the stream from now on, sorted at each call. */
    follow(): Promise<() => readonly string[]>;
    /** Events of all replicas started here, also of those that are gone. */
    events(name: string): readonly Readonly<Record<string, unknown>>[];
}

export async function startBrokerFleet(): Promise<BrokerFleet> {
    const undo = new AsyncDisposableStack();
    const directory = undo.use(await createTemporaryDirectory("auth-broker"));
    const seal = generateKeyPair();
    const accountsKey = generateRecordKey();
    await writeKeyFile(join(directory.path, "seal.key"), "seal-private", seal.privateKey);
    await writeKeyFile(join(directory.path, "accounts.key"), "accounts", accountsKey);
    const users: BusUser[] = [];
    for (const [instance, role] of Object.entries(ROLES)) {
        const { seed, publicKey } = createSeed();
        users.push({ role, instance, nkeyPublic: publicKey });
        await writeFile(join(directory.path, `${instance}.seed`), seed, { mode: 0o600 });
    }
    const server = undo.use(await startNatsServer({ config: natsPermissions("main", users) }));
    const connect = async (instance: string): Promise<Bus> => {
        const seedFile = join(directory.path, `${instance}.seed`);
        const options = { servers: [server.url], instance, tenant: "main", seedFile, log: new KeptLog() };
        return undo.adopt(await connectBus(options), (bus) => bus.close());
    };
    const root = await connect("root");
    const layout = { replicas: 1, eventsMaxAge: 3_600_000, eventsMaxBytes: 2 ** 24, workerTtl: 5_000 };
    await applyBus(root, layout);
    const accounts = await root.bucket(BUCKETS.accounts);
    const cipher = recordCipher(accountsKey);

    const bans: BanQuestion[] = [];
    const registry = await connect("r1");
    await registry.answer(registry.subjects.registry.ban, registryBan, async (question) => {
        await Promise.resolve();
        bans.push(question);
        return { bans: [] };
    });
    const worker = await connect("w1");
    const replicas = new Map<string, Replica>();
    const collected: CollectedEvents[] = [];
    const services: Service[] = [];
    // Also those whose connection was cut: their timers go on.
    undo.defer(async () => {
        await Promise.all(services.map((service) => service.stop("end of test")));
    });

    const start = (question: AuthStartQuestion): Promise<AuthAnswer> =>
        worker.ask(worker.subjects.authStart, authStart, question);
    return {
        server,
        directory: directory.path,
        worker,
        registry,
        cipher,
        bans,
        replicas,
        start,
        async startBroker(instance, settings = "") {
            const file = join(directory.path, "postern.yaml");
            const keys = "sealKey: seal.key\naccountsKey: accounts.key\n";
            const section = `${keys}${settings}`.replaceAll(/^(?=.)/gm, "  ");
            const text = `name: vpn.example.com\nauth-broker:\n${section}`;
            const config = parseConfig(text, file, { service: "auth-broker", instance });
            const bus = await connect(instance);
            const events = new CollectedEvents();
            collected.push(events);
            const metrics = createMetrics({ service: "auth-broker", instance, processMetrics: false });
            const log = new KeptLog();
            const service = await createBroker({ instance, section: config["auth-broker"], log, metrics, bus, events });
            services.push(service);
            await service.start();
            const replica = { service, bus, events, metrics, log };
            replicas.set(instance, replica);
            return replica;
        },
        async kill(instance) {
            await replicas.get(instance)?.bus.close();
            replicas.delete(instance);
        },
        async putAccount(account) {
            await accounts.put(encodeKey(account.user), await createAccount(cipher, account, Date.now()));
        },
        client: (options) => new LoginClient({ brokerKey: seal.publicKey, ...options }),
        async login(question) {
            let { result, conversation, replica } = await start(question);
            while (result.state === "pending") {
                const poll = { kind: "poll", conversation, session: question.session, wait: 20_000 } as const;
                const answer = await worker.ask(worker.subjects.authContinue(replica), authContinue, poll);
                if ("unknown" in answer) throw new Error("the conversation was lost");
                ({ result, conversation, replica } = answer);
            }
            return result;
        },
        async follow() {
            const seen: string[] = [];
            const tail = await root.tail(root.subjects.eventFilter(), {}, ({ type }) => seen.push(type));
            undo.defer(() => tail.stop());
            return () => seen.toSorted();
        },
        events: (name) => collected.flatMap((events) => events.named(name).map(({ data }) => data)),
        [Symbol.asyncDispose]: () => undo.disposeAsync(),
    };
}
