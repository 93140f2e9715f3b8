// What an instance in other hands cannot do, tried in every way on a real server.  The names of these tests are the rows of
// docs/security.md.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BUCKETS } from "@postern/contracts";
import { accountsOf, intersection } from "../src/accounts.ts";
import { inboxPrefix } from "../src/connect.ts";
import { natsPermissions, type BusUser } from "../src/index.ts";
import {
    INSTANCES,
    Scene,
    secretOf,
    subjects,
    tryHeaders,
    tryToHear,
    tryToReach,
    tryToRead,
    VICTIM,
    workerQuestions,
} from "./attack.ts";

const BUCKET_NAMES = Object.values(BUCKETS).map(({ name }) => name);
const KINDS = ["session", "binding", "auth", "worker", "ingress", "connection", "cert", "admin"] as const;
const QUESTIONS = [
    subjects.authStart,
    subjects.authContinue("b1"),
    subjects.authContinue("b2"),
    ...Object.values(subjects.registry),
    ...workerQuestions("w1"),
    ...workerQuestions("w2"),
];
const except = <T extends string>(all: readonly T[], ...left: readonly T[]): T[] =>
    all.filter((one) => !left.includes(one));

let scene: Scene;

before(async () => {
    scene = await Scene.open((users) => natsPermissions("main", users));
});
after(() => scene[Symbol.asyncDispose]());

function cannotWrite(name: string, instance: string, buckets: readonly string[], keys: readonly string[] = []): void {
    test(name, async () => {
        const streams = buckets.map((bucket) => `KV_${bucket}`);
        const look = async (): Promise<number[]> => [
            ...(await Promise.all(streams.map((stream) => scene.lastOf(stream)))),
            ...(await Promise.all(keys.map((key) => scene.lastOf(`KV_${key.split(".")[1]}`, key)))),
        ];
        const before = await look();
        const targets = buckets.flatMap((bucket) => [`$KV.${bucket}.${VICTIM}`, `$KV.${bucket}.forged`]);
        await tryToReach(scene, instance, [...targets, ...keys]);
        assert.deepEqual(await look(), before);
    });
}

function cannotTell(name: string, instance: string, kinds: readonly string[], checkpoints: readonly string[]): void {
    test(name, async () => {
        const events = kinds.map((kind) => subjects.event({ kind: kind as "admin", name: `of-${instance}` }, "x")); // any kind
        const forged = checkpoints.map((writer) => subjects.checkpoint(writer));
        const look = (): Promise<number[]> =>
            Promise.all([
                ...events.map((subject) => scene.lastOf("EVENTS", subject)),
                ...forged.map((subject) => scene.lastOf("CHECKPOINTS", subject)),
            ]);
        const before = await look();
        await tryToReach(scene, instance, [...events, ...forged]);
        assert.deepEqual(await look(), before);
    });
}

function cannotAsk(name: string, instance: string, questions: readonly string[]): void {
    test(name, async () => {
        scene.heard.length = 0;
        await tryToReach(scene, instance, questions);
        assert.deepEqual(
            questions.filter((question) => scene.heard.includes(question)),
            [],
        );
    });
}

function cannotRead(name: string, instance: string, buckets: readonly string[], streams: readonly string[]): void {
    test(name, async () => {
        const read = await tryToRead(scene, instance, [...buckets.map((bucket) => `KV_${bucket}`), ...streams]);
        assert.deepEqual(
            buckets.filter((bucket) => read.includes(secretOf(bucket))),
            [],
        );
        if (streams.length > 0) assert.doesNotMatch(read, /secret-of-(?:event|checkpoint)/);
    });
}

/** Everything but the questions to `own`. */
function cannotHear(name: string, instance: string, own: readonly string[]): void {
    test(name, async () => {
        const others = Object.keys(INSTANCES).filter((one) => one !== instance);
        const patterns = [
            ...except(QUESTIONS, ...own),
            ...except(["postern.main.auth.*", "postern.main.registry.*", "postern.main.worker.*.*"], ...own),
            ...others.flatMap((one) => [`${inboxPrefix(one)}.>`, `${inboxPrefix(one)}.*.*`, `${inboxPrefix(one)}.x`]),
            ">",
            "*.>",
            "*.*.>",
            "_INBOX.>",
            "_R_.>",
            "$KV.>",
            "$JS.>",
            "$SYS.>",
            "postern.>",
            subjects.eventFilter(),
        ];
        const heard = await tryToHear(scene, instance, patterns, async () => {
            const [operator, worker, registry] = await Promise.all(
                ["operator", "w2", "r1"].map((it) => scene.connect(it)),
            );
            assert.ok(operator !== undefined && worker !== undefined && registry !== undefined);
            await operator.request(`$KV.workers.${VICTIM}`, secretOf("workers"));
            await operator.request(subjects.registry.query, "overheard");
            await worker.request(subjects.authStart, "overheard");
            await worker.request(subjects.registry.admit, "overheard");
            await worker.request(subjects.event({ kind: "session", name: "overheard" }, "s1"), "overheard");
            await registry.request(subjects.worker("w2", "describe"), "overheard");
            await Promise.all([operator, worker, registry].map((it) => it.close()));
        });
        assert.equal(heard, "");
    });
}

/** `own`: buckets in which it may write any key, and the consumer that it may work through. */
function cannotChange(name: string, instance: string, own: readonly string[]): void {
    test(name, async () => {
        const before = await scene.integrity(own);
        const administration = ["KV_accounts", "KV_sessions", "EVENTS"].flatMap((stream) =>
            ["DELETE", "PURGE", "UPDATE", "MSG.DELETE", "RESTORE", "LEADER.STEPDOWN", "PEER.REMOVE"].map(
                (verb) => `$JS.API.STREAM.${verb}.${stream}`,
            ),
        );
        const consumer = ["DELETE", "PAUSE", "UNPIN", "RESET", "LEADER.STEPDOWN"].map(
            (verb) => `$JS.API.CONSUMER.${verb}.EVENTS.audit-logger`,
        );
        const acknowledgement = `$JS.ACK.EVENTS.audit-logger.1.1.1.${Date.now()}000000.0`;
        const targets = [
            ...administration,
            ...(instance.startsWith("a") ? except(consumer, "$JS.API.CONSUMER.UNPIN.EVENTS.audit-logger") : consumer),
            ...(instance.startsWith("a") ? [] : [acknowledgement]),
            "$JS.API.STREAM.CREATE.forged",
            "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.audit-logger",
            "$JS.API.CONSUMER.CREATE.EVENTS.audit-logger.postern.main.event.*.*.*",
            "$JS.API.META.LEADER.STEPDOWN",
            "$JS.API.ACCOUNT.PURGE.streams",
            "$SYS.REQ.SERVER.PING",
        ];
        await tryToReach(scene, instance, targets);
        await tryHeaders(scene, instance);
        assert.deepEqual(await scene.integrity(own), before);
    });
}

cannotWrite("an ingress cannot write any record", "i1", BUCKET_NAMES);
cannotRead(
    "an ingress cannot read accounts, logins, sessions, leases, users or events",
    "i1",
    except(BUCKET_NAMES, "workers", "bans"),
    ["EVENTS", "CHECKPOINTS"],
);
cannotAsk("an ingress cannot ask any service", "i1", QUESTIONS);
cannotTell(
    "an ingress cannot tell events but those of ingress and connection",
    "i1",
    except(KINDS, "ingress", "connection"),
    ["i1", "a1"],
);
cannotHear("an ingress cannot hear or answer what others are asked", "i1", []);
cannotChange("an ingress cannot change or remove streams, consumers or what they hold", "i1", []);

cannotWrite("a session-worker cannot write any record but its own in workers", "w1", except(BUCKET_NAMES, "workers"), [
    "$KV.workers.w2",
    `$KV.workers.${VICTIM}`,
]);
cannotRead("a session-worker cannot read any bucket or event", "w1", BUCKET_NAMES, ["EVENTS", "CHECKPOINTS"]);
cannotAsk("a session-worker cannot list sessions, ban anybody or ask another worker", "w1", [
    subjects.registry.query,
    subjects.registry.ban,
    ...workerQuestions("w2"),
]);
cannotTell(
    "a session-worker cannot tell events of ingresses and of administrators",
    "w1",
    ["ingress", "admin"],
    ["w1", "a1"],
);
cannotHear("a session-worker cannot hear or answer what others are asked", "w1", workerQuestions("w1"));
cannotChange("a session-worker cannot change or remove streams, consumers or what they hold", "w1", []);

cannotWrite(
    "an auth-broker cannot write accounts, sessions, leases, users, bans or workers",
    "b1",
    except(BUCKET_NAMES, "auth-state"),
);
cannotRead(
    "an auth-broker cannot read sessions, leases, users, bans, workers or events",
    "b1",
    except(BUCKET_NAMES, "accounts", "auth-state"),
    ["EVENTS", "CHECKPOINTS"],
);
cannotAsk("an auth-broker cannot ask workers but to end a session, or the registry but about bans and sessions", "b1", [
    ...except(Object.values(subjects.registry), subjects.registry.ban, subjects.registry.query),
    ...["w1", "w2"].flatMap((worker) => except(workerQuestions(worker), subjects.worker(worker, "disconnect"))),
]);
cannotTell("an auth-broker cannot tell events but those of logins", "b1", except(KINDS, "auth"), ["b1", "a1"]);
cannotHear("an auth-broker cannot hear or answer what other services are asked", "b1", [
    subjects.authStart,
    subjects.authContinue("b1"),
]);
cannotChange("an auth-broker cannot change or remove streams, consumers or the records of others", "b1", [
    "auth-state",
]);

cannotWrite("a session-registry cannot write accounts, logins or workers", "r1", ["accounts", "auth-state", "workers"]);
cannotRead(
    "a session-registry cannot read accounts, logins or events",
    "r1",
    ["accounts", "auth-state"],
    ["EVENTS", "CHECKPOINTS"],
);
cannotAsk("a session-registry cannot ask brokers, or drain workers", "r1", [
    subjects.authStart,
    subjects.authContinue("b1"),
    subjects.worker("w1", "drain"),
    subjects.worker("w2", "drain"),
]);
cannotTell(
    "a session-registry cannot tell events of logins, bindings, connections, ingresses or certificates",
    "r1",
    except(KINDS, "session", "worker", "admin"),
    ["r1", "a1"],
);
cannotHear("a session-registry cannot hear or answer what other services are asked", "r1", [
    ...Object.values(subjects.registry),
    "postern.main.registry.*",
]);
cannotChange("a session-registry cannot change or remove streams, consumers or the records of others", "r1", [
    "sessions",
    "leases",
    "users",
    "fleet",
    "bans",
]);

cannotWrite("an audit-logger cannot write any record", "a2", BUCKET_NAMES);
cannotRead("an audit-logger cannot read any bucket", "a2", BUCKET_NAMES, []);
cannotAsk("an audit-logger cannot ask any service", "a2", QUESTIONS);
cannotTell(
    "an audit-logger cannot tell events but those of administrators, or sign checkpoints in another's name",
    "a2",
    except(KINDS, "admin"),
    ["a1"],
);
cannotHear("an audit-logger cannot hear or answer what others are asked", "a2", []);
cannotChange("an audit-logger cannot change or remove streams, consumers, events or checkpoints", "a2", [
    "audit-logger",
]);

cannotWrite("a subscriber cannot write any record", "siem", BUCKET_NAMES);
cannotRead("a subscriber cannot read any bucket or checkpoint", "siem", BUCKET_NAMES, ["CHECKPOINTS"]);
cannotAsk("a subscriber cannot ask any service", "siem", QUESTIONS);
cannotTell("a subscriber cannot tell any event", "siem", KINDS, ["siem", "a1"]);
cannotHear("a subscriber cannot hear or answer what others are asked", "siem", []);
cannotChange("a subscriber cannot change or remove streams, consumers or what they hold", "siem", []);

test("the same tricks work where everybody shares an account", async () => {
    await using shared = await Scene.open(oneAccount);
    const [before, lease] = [await shared.integrity(), await shared.lastOf("KV_leases")];
    await tryToReach(shared, "b1", [`$KV.leases.${VICTIM}`, subjects.worker("w2", "drain")]);
    assert.ok((await shared.lastOf("KV_leases")) > lease, "an answer of JetStream became a record");
    assert.ok(shared.heard.includes(subjects.worker("w2", "drain")), "a stored message became a question");
    assert.notDeepEqual(await shared.integrity(), before);
    // Whoever may do it is not hindered by how it is tried.
    assert.match(await tryToRead(shared, "operator", ["KV_accounts", "EVENTS"]), /secret-of-accounts/);
    const overheard = await tryToHear(shared, "operator", [subjects.registry.query], async () => {
        const registry = await shared.connect("operator");
        await registry.request(subjects.registry.query, "overheard");
        await registry.close();
    });
    assert.match(overheard, /overheard/);
});

test("what two patterns have in common", () => {
    assert.equal(intersection("a.*.c", "a.b.>"), "a.b.c");
    assert.equal(intersection("a.>", "a.b.*"), "a.b.*");
    assert.equal(intersection("a.*", "*.b"), "a.b");
    assert.equal(intersection("a.b", "a.b.c"), undefined);
    assert.equal(intersection("a.b", "a.c"), undefined);
    assert.equal(intersection(">", "a"), "a");
});

test("accounts: alone, or together where any may answer; nobody with the streams", () => {
    const members = Object.entries(INSTANCES).map(([instance, role]) => ({ instance, role }));
    const accounts = accountsOf(members, "postern.main", ({ role }) =>
        role === "ingress" ? ["postern.main.auth.start"] : [],
    );
    assert.deepEqual(
        accounts.map(({ name, members: inside }) => `${name}: ${inside.map(({ instance }) => instance).join(" ")}`),
        [
            "streams: ",
            "admin_operator: operator",
            "ingress_i1: i1",
            "session-worker_w1: w1",
            "session-worker_w2: w2",
            "auth-broker: b1 b2",
            "session-registry: r1",
            "audit-logger_a1: a1",
            "audit-logger_a2: a2",
            "subscriber_siem: siem",
        ],
    );
    assert.deepEqual(accounts.find(({ name }) => name === "ingress_i1")?.imports, [
        { account: "streams", subject: "$JS.API.INFO" },
        { account: "auth-broker", subject: "postern.main.auth.start" },
    ]);
});

function oneAccount(users: readonly BusUser[]): string {
    const entries = natsPermissions("main", users).matchAll(/^ +\{ nkey: [^]*?^ +\} \}$/gm);
    return `authorization { users = [ ${[...entries].map(([entry]) => entry).join("\n")} ] }`;
}
