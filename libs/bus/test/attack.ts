// Somebody who has an instance's credentials and no manners: every way that NATS offers to reach what a permission table denies.
//
// Whether it worked is not asked of the attacker but of those whom it concerns: what streams hold, what listeners heard.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect, headers, nkeyAuthenticator, nuid, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { BUCKETS, subjectsOf, type Role } from "@postern/contracts";
import { createTemporaryDirectory, startNatsServer, type NatsServer } from "@postern/testkit";
import { applyBus, createSeed, type BusUser } from "../src/index.ts";
import { inboxPrefix } from "../src/connect.ts";
import { LAYOUT, openBus } from "./test-bus.ts";

export const INSTANCES: Readonly<Record<string, Role>> = {
    operator: "admin",
    i1: "ingress",
    w1: "session-worker",
    w2: "session-worker",
    b1: "auth-broker",
    b2: "auth-broker",
    r1: "session-registry",
    a1: "audit-logger",
    a2: "audit-logger",
    siem: "subscriber",
};
export const subjects = subjectsOf("main");
const STREAM_NAMES = [...Object.values(BUCKETS).map(({ name }) => `KV_${name}`), "EVENTS", "CHECKPOINTS"];
/** The key that each bucket has, and what is in it. */
export const VICTIM = "victim";
export const secretOf = (bucket: string): string => `secret-of-${bucket}`;

/** What the other side does with an attack has no end that could be awaited. */
const SETTLE = 250;
/** More of them show nothing else. */
const CONSUMED_STREAMS = 2;
const HEADERS: readonly Readonly<Record<string, string>>[] = [
    { "Nats-Rollup": "all" },
    { "Nats-Rollup": "sub" },
    { "Nats-TTL": "never" },
    { "Nats-Schedule": "@at 2020-01-01T00:00:00Z", "Nats-Schedule-Target": "$KV.workers.victim" },
    { "Nats-Batch-Id": "b", "Nats-Batch-Sequence": "1", "Nats-Batch-Commit": "1" },
    { "Nats-Incr": "+1" },
    { "Nats-Subject": "$KV.workers.victim" },
    { "Nats-Stream-Source": "KV_workers 1 > > $KV.workers.victim" },
    { "Nats-Marker-Reason": "Purge" },
    { "KV-Operation": "PURGE" },
];

interface ApiAnswer {
    readonly streams?: readonly string[];
    readonly config?: object;
    readonly created?: string;
    readonly state?: { readonly last_seq: number };
    readonly message?: { readonly seq: number };
    readonly ack_floor?: object;
    readonly num_ack_pending?: number;
    readonly priority_groups?: readonly { readonly pinned_client_id?: string }[];
}

export class Scene implements AsyncDisposable {
    readonly server: NatsServer;
    readonly #seeds: ReadonlyMap<string, string>;
    readonly #undo: AsyncDisposableStack;
    readonly #allowed: ReadonlyMap<string, readonly string[]>;
    #operator: Promise<NatsConnection> | undefined;
    /** The subject of each question that its rightful listener heard. */
    readonly heard: string[] = [];

    private constructor(
        server: NatsServer,
        seeds: ReadonlyMap<string, string>,
        allowed: ReadonlyMap<string, readonly string[]>,
        undo: AsyncDisposableStack,
    ) {
        this.server = server;
        this.#seeds = seeds;
        this.#allowed = allowed;
        this.#undo = undo;
    }

    /** A server with `configuration` for one user of each kind, and with everything that `postern bus apply` creates. */
    static async open(configuration: (users: readonly BusUser[]) => string): Promise<Scene> {
        await using undo = new AsyncDisposableStack();
        const directory = undo.use(await createTemporaryDirectory("seeds"));
        const seeds = new Map<string, string>();
        const users = Object.entries(INSTANCES).map(([instance, role]): BusUser => {
            const { seed, publicKey } = createSeed();
            seeds.set(instance, seed);
            return { role, instance, nkeyPublic: publicKey };
        });
        const text = configuration(users);
        const server = undo.use(await startNatsServer({ config: text }));
        const seedFile = join(directory.path, "operator.nk");
        await writeFile(seedFile, seeds.get("operator") ?? "", { mode: 0o600 });
        await using admin = await openBus(server, "operator", { seedFile });
        // The victims' records in `workers` are not renewed.
        await applyBus(admin.bus, { ...LAYOUT, workerTtl: 600_000 });
        const scene = new Scene(server, seeds, publishable(text, users), undo.move());
        await scene.#listen();
        return scene;
    }

    async connect(instance: string): Promise<NatsConnection> {
        return connect({
            servers: this.server.url,
            authenticator: nkeyAuthenticator(new TextEncoder().encode(this.#seeds.get(instance))),
            inboxPrefix: inboxPrefix(instance),
            reconnect: false,
        });
    }

    /** The instance's own list of what it may publish to. */
    publishable(instance: string): readonly string[] {
        return this.#allowed.get(instance) ?? [];
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.#undo.disposeAsync();
    }

    /** The sequence number of the last message that `stream` took, or only of that under `subject`; 0: none. */
    async lastOf(stream: string, subject?: string): Promise<number> {
        if (subject === undefined) return (await this.#api(`STREAM.INFO.${stream}`)).state?.last_seq ?? 0;
        return (await this.#api(`STREAM.MSG.GET.${stream}`, { last_by_subj: subject })).message?.seq ?? 0;
    }

    /** Which streams there are and how they are configured, the victims' records, how far the audit-logger is; but for what is `exempt`. */
    async integrity(exempt: readonly string[] = []): Promise<readonly object[]> {
        const found: object[] = [(await this.#api("STREAM.NAMES")).streams ?? []];
        for (const name of STREAM_NAMES) {
            const { config, created } = await this.#api(`STREAM.INFO.${name}`);
            const kept = name.startsWith("KV_") && !exempt.includes(name.slice(3));
            const question = { last_by_subj: `$KV.${name.slice(3)}.${VICTIM}` };
            const { message } = kept ? await this.#api(`STREAM.MSG.GET.${name}`, question) : {};
            found.push({ name, config, created, message });
        }
        const consumer = await this.#api("CONSUMER.INFO.EVENTS.audit-logger");
        const { config, ack_floor, num_ack_pending, priority_groups } = consumer;
        const progress = { ack_floor, num_ack_pending, pin: priority_groups?.[0]?.pinned_client_id };
        found.push({ config, ...(exempt.includes("audit-logger") ? {} : progress) });
        return found;
    }

    async #api(subject: string, question: object | "" = ""): Promise<ApiAnswer> {
        const operator = await (this.#operator ??= this.connect("operator"));
        return (await operator.request(`$JS.API.${subject}`, question === "" ? "" : JSON.stringify(question))).json();
    }

    /** A record in each bucket, an event that the audit-logger got and has not acknowledged, and everybody where he belongs. */
    async #listen(): Promise<void> {
        const operator = this.#undo.adopt(await (this.#operator ??= this.connect("operator")), (it) => it.close());
        for (const { name } of Object.values(BUCKETS)) {
            await operator.request(`$KV.${name}.${VICTIM}`, secretOf(name));
        }
        await operator.request(subjects.event({ kind: "session", name: "ended" }, "s1"), secretOf("event"));
        await operator.request(subjects.checkpoint("a2"), secretOf("checkpoint"));
        const long = 600_000_000_000;
        const { config } = await this.#api("CONSUMER.INFO.EVENTS.audit-logger");
        const patient = { ...config, ack_wait: long, priority_timeout: long };
        await this.#api("CONSUMER.DURABLE.CREATE.EVENTS.audit-logger", { stream_name: "EVENTS", config: patient });
        const logger = this.#undo.adopt(await this.connect("a1"), (it) => it.close());
        const pull = { batch: 1, group: "active", expires: 5_000_000_000 };
        await logger.request("$JS.API.CONSUMER.MSG.NEXT.EVENTS.audit-logger", JSON.stringify(pull), {
            timeout: 5_000,
            // What JetStream delivers has the subject of the stream, by which a shared inbox would not know it.
            noMux: true,
        });
        const posts: Readonly<Record<string, readonly string[]>> = {
            b1: [subjects.authStart, subjects.authContinue("b1")],
            b2: [subjects.authContinue("b2")],
            r1: Object.values(subjects.registry),
            w1: workerQuestions("w1"),
            w2: workerQuestions("w2"),
        };
        for (const [instance, own] of Object.entries(posts)) {
            const connection = this.#undo.adopt(await this.connect(instance), (it) => it.close());
            for (const subject of own) {
                connection.subscribe(subject, {
                    callback: (_, message) => {
                        this.heard.push(subject);
                        message.respond("{}");
                    },
                });
            }
            await connection.flush();
        }
    }
}

export const workerQuestions = (worker: string): string[] =>
    (["describe", "disconnect", "drain"] as const).map((question) => subjects.worker(worker, question));

/** Every trick to have a message delivered to each of `targets`.  Resolves when the server has had time for all of them. */
export async function tryToReach(scene: Scene, instance: string, targets: readonly string[]): Promise<void> {
    const attacker = await scene.connect(instance);
    const own = scene.publishable(instance).map(concrete);
    for (const target of targets) {
        for (const payload of ["{}", "", "+ACK"]) attacker.publish(target, payload);
        // The answer to whatever it may ask, from JetStream or from a service, is sent where it says.
        for (const subject of own) {
            for (const payload of questionsFor(subject)) attacker.publish(subject, payload, { reply: target });
        }
    }
    await Promise.all(targets.map((target) => deliverByConsumer(scene, attacker, instance, target)));
    await attacker.flush();
    await delay(SETTLE);
    await attacker.close();
}

/** Every header that makes a stream do more than store, on everything that it may publish to. */
export async function tryHeaders(scene: Scene, instance: string): Promise<void> {
    const attacker = await scene.connect(instance);
    for (const subject of scene.publishable(instance).map(concrete)) {
        if (subject.startsWith("$JS.")) continue;
        for (const fields of HEADERS) {
            const marked = headers();
            for (const [name, value] of Object.entries(fields)) marked.set(name, value);
            attacker.publish(subject, "{}", { headers: marked });
        }
    }
    await attacker.flush();
    await delay(SETTLE);
    await attacker.close();
}

/** Every trick to read streams; what came back, whatever it is. */
export async function tryToRead(scene: Scene, instance: string, streams: readonly string[]): Promise<string> {
    const attacker = await scene.connect(instance);
    const inbox = `${inboxPrefix(instance)}.stolen`;
    const heard = listenTo(attacker, [inbox, `${inbox}.>`]);
    for (const [subject, question] of streams.flatMap((stream) => readings(stream, inbox))) {
        attacker.publish(`$JS.API.${subject}`, question, { reply: `${inbox}.answer` });
    }
    await attacker.flush();
    await delay(SETTLE);
    await attacker.close();
    return decoded(heard);
}

function readings(stream: string, inbox: string): (readonly [subject: string, question: string])[] {
    const filter = stream.startsWith("KV_") ? `$KV.${stream.slice(3)}.>` : "postern.main.>";
    const last = { last_by_subj: filter.replace(">", VICTIM) };
    const consumer = (name: string, more: object = {}): string =>
        JSON.stringify({ stream_name: stream, config: { name, ack_policy: "none", filter_subject: filter, ...more } });
    return [
        [`STREAM.MSG.GET.${stream}`, JSON.stringify(last)],
        [`STREAM.MSG.GET.${stream}`, '{"seq":1}'],
        [`DIRECT.GET.${stream}`, JSON.stringify(last)],
        [`DIRECT.GET.${stream}.${filter.replace(">", VICTIM)}`, ""],
        [`STREAM.INFO.${stream}`, '{"subjects_filter":">"}'],
        [`STREAM.SNAPSHOT.${stream}`, JSON.stringify({ deliver_subject: `${inbox}.snapshot` })],
        [`CONSUMER.CREATE.${stream}`, consumer("c0", { deliver_subject: `${inbox}.c0` })],
        [`CONSUMER.CREATE.${stream}.c1`, consumer("c1", { deliver_subject: `${inbox}.c1` })],
        [`CONSUMER.CREATE.${stream}.c2.${filter}`, consumer("c2", { deliver_subject: `${inbox}.c2` })],
        [`CONSUMER.CREATE.${stream}.c3.${filter}`, consumer("c3")],
        [`CONSUMER.DURABLE.CREATE.${stream}.c4`, consumer("c4", { durable_name: "c4" })],
        ...["c0", "c1", "c2", "c3", "c4", "audit-logger"].map(
            (name) => [`CONSUMER.MSG.NEXT.${stream}.${name}`, '{"batch":9,"no_wait":true}'] as const,
        ),
        ["STREAM.CREATE.stolen", JSON.stringify({ name: "stolen", sources: [{ name: stream }] })],
        ["STREAM.CREATE.stolen", JSON.stringify({ name: "stolen", mirror: { name: stream } })],
        [
            `STREAM.UPDATE.${stream}`,
            JSON.stringify({ name: stream, republish: { src: ">", dest: `${inbox}.republished.>` } }),
        ],
    ];
}

/** What it hears that is meant for others, also as a member of the groups that answer questions. */
export async function tryToHear(
    scene: Scene,
    instance: string,
    patterns: readonly string[],
    whatOthersDo: () => Promise<void>,
): Promise<string> {
    const attacker = await scene.connect(instance);
    const heard = listenTo(attacker, patterns);
    for (const queue of ["auth-broker", "session-registry"]) listenTo(attacker, patterns, queue, heard);
    await attacker.flush();
    await whatOthersDo();
    await delay(SETTLE);
    await attacker.close();
    return decoded(heard);
}

/** Denied subscriptions end one by one without closing the connection. */
function listenTo(connection: NatsConnection, patterns: readonly string[], queue = "", heard: Msg[] = []): Msg[] {
    for (const pattern of patterns) {
        const callback = (error: Error | null, message: Msg): void => {
            if (error === null) heard.push(message);
        };
        connection.subscribe(pattern, queue === "" ? { callback } : { callback, queue });
    }
    return heard;
}

/** As text, and what looks like base64 also decoded: answers of the API wrap what is stored. */
const decoded = (messages: readonly Msg[]): string =>
    messages
        .map((message) => {
            const text = message.string();
            const wrapped = /"data":"([^"]*)"/.exec(text)?.[1] ?? "";
            return `${message.subject} ${text} ${Buffer.from(wrapped, "base64").toString()}`;
        })
        .join("\n");

async function deliverByConsumer(
    scene: Scene,
    attacker: NatsConnection,
    instance: string,
    target: string,
): Promise<void> {
    const followed = scene
        .publishable(instance)
        .flatMap((allowed) => /^\$JS\.API\.CONSUMER\.CREATE\.([^.]+)\./.exec(allowed)?.[1] ?? []);
    for (const stream of followed.slice(0, CONSUMED_STREAMS)) {
        const filter = stream.startsWith("KV_") ? `$KV.${stream.slice(3)}.>` : "postern.main.>";
        for (const more of [{ deliver_subject: target }, { deliver_subject: target, deliver_group: "g" }, {}]) {
            const name = nuid.next();
            const config = {
                name,
                ack_policy: "none",
                filter_subject: filter,
                inactive_threshold: 1_000_000_000,
                ...more,
            };
            const create = `$JS.API.CONSUMER.CREATE.${stream}.${name}.${filter}`;
            await attacker.request(create, JSON.stringify({ stream_name: stream, config }), { timeout: 2_000 });
            for (let at = 0; at < 3; at += 1) {
                const next = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`;
                attacker.publish(next, '{"batch":1,"no_wait":true}', { reply: target });
            }
        }
    }
}

/** A subject under the pattern. */
const concrete = (pattern: string): string =>
    pattern
        .replace(/\.\*\.>$/, ".tool.x")
        .replaceAll("*", "x")
        .replace(">", "x");

function questionsFor(subject: string): readonly string[] {
    if (subject.includes("MSG.NEXT"))
        return ['{"batch":1,"no_wait":true}', '{"batch":1,"no_wait":true,"group":"active"}'];
    if (subject.includes("MSG.GET")) return ['{"seq":1}', '{"seq":9}'];
    if (subject.includes("ACK")) return ["+WPI"];
    return ["{}", ""];
}

/** Instance → its `publish.allow` in the configuration. */
function publishable(configuration: string, users: readonly BusUser[]): Map<string, readonly string[]> {
    return new Map(
        users.map(({ instance, nkeyPublic }) => {
            const [, list = "[]"] =
                new RegExp(`${nkeyPublic}, permissions: \\{\\s+publish: \\{ allow: (\\[[^\\]]*\\])`).exec(
                    configuration,
                ) ?? [];
            return [instance, JSON.parse(list) as string[]]; // as `natsPermissions` writes it
        }),
    );
}
