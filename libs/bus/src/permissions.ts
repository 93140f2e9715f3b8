// The permission table of the contracts in nats-server's syntax: one nkey user an instance, with the least subjects it needs, in
// an account with nobody who may do something else (accounts.ts).
import { BUCKETS, CONSUMERS, GRANTS, InstanceId, STREAMS, type BucketName, type Grant } from "@postern/contracts";
import { ConfigError } from "@postern/errors";
import { accountsOf, STREAMS_ACCOUNT, type Account, type Member } from "./accounts.ts";
import { inboxPrefix } from "./connect.ts";
import { bucketStream } from "./requirements.ts";

/** `instance` is unique over all roles: it names the inbox. */
export interface BusUser extends Member {
    /** `U…`, of `createSeed`. */
    readonly nkeyPublic: string;
}

interface Permissions {
    readonly publish: { readonly allow: readonly string[]; readonly deny: readonly string[] };
    readonly subscribe: readonly string[];
    readonly answers: boolean;
}

// A question may wait for its answer longer than the two minutes that are the server's default.
const ALLOW_RESPONSES = '{ max: 1, expires: "10m" }';
const PUBLIC_NKEY = /^U[A-Z2-7]{55}$/;

/** An `accounts { … }` block for nats-server's configuration.  Rejects users whose names or keys are not usable. */
export function natsPermissions(tenant: string, users: readonly BusUser[]): string {
    refuseUnusable(users);
    const root = `postern.${tenant}`;
    const accounts = accountsOf(users, root, (member) => permissionsFor(member, root).publish.allow);
    const keys = new Map(users.map(({ instance, nkeyPublic }) => [instance, nkeyPublic]));
    return ["accounts {", ...accounts.map((account) => accountEntry(account, root, keys)), "}", ""].join("\n");
}

function accountEntry(
    { name, members, imports, exports }: Account,
    root: string,
    keys: ReadonlyMap<string, string>,
): string {
    const offers = exports.map(
        ({ subject, streams }) =>
            `      { service: ${JSON.stringify(subject)}${streams ? ", response_type: stream" : ""} }`,
    );
    const taken = imports.map(
        ({ account, subject }) =>
            `      { service: { account: ${JSON.stringify(account)}, subject: ${JSON.stringify(subject)} } }`,
    );
    return [
        `  ${JSON.stringify(name)} {`,
        ...(name === STREAMS_ACCOUNT ? ["    jetstream: enabled"] : []),
        ...block(
            "users",
            members.map((member) => userEntry(member, root, keys.get(member.instance) ?? "")),
        ),
        ...block("exports", offers),
        ...block("imports", taken),
        "  }",
    ].join("\n");
}

const block = (name: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [`    ${name}: [`, ...lines, "    ]"];

function userEntry(member: Member, root: string, nkeyPublic: string): string {
    const { publish, subscribe, answers } = permissionsFor(member, root);
    const deny = publish.deny.length === 0 ? "" : `, deny: ${list(publish.deny)}`;
    return [
        `      # ${member.role} ${member.instance}`,
        `      { nkey: ${nkeyPublic}, permissions: {`,
        `          publish: { allow: ${list(publish.allow)}${deny} },`,
        `          subscribe: { allow: ${list(subscribe)} },`,
        ...(answers ? [`          allow_responses: ${ALLOW_RESPONSES}`] : []),
        `      } }`,
    ].join("\n");
}

const ADMIN: Permissions = { publish: { allow: [">"], deny: [] }, subscribe: [">"], answers: false };

function permissionsFor({ role, instance }: Member, root: string): Permissions {
    return role === "admin" ? ADMIN : permissionsOf(GRANTS[role], root, instance);
}

function permissionsOf(grant: Grant, root: string, instance: string): Permissions {
    const own = (pattern: string): string => `${root}.${pattern.replaceAll("{instance}", instance)}`;
    return {
        publish: {
            allow: [
                ...grant.asks.map(own),
                ...grant.publishes.map(own),
                ...grant.events.map((kind) => `${root}.event.${kind}.*.*`),
                ...grant.reads.flatMap(readBucket),
                ...grant.writes.flatMap((write) =>
                    typeof write === "string" ? writeBucket(write, ">") : writeBucket(write.bucket, instance),
                ),
                ...grant.consumes.flatMap(workThrough),
                ...grant.tails.flatMap((stream) => follow(STREAMS[stream])),
            ],
            deny: grant.tails.includes("events") ? Object.values(CONSUMERS).flatMap(touchDurable) : [],
        },
        subscribe: [`${inboxPrefix(instance)}.>`, ...grant.answers.map(own)],
        answers: grant.answers.length > 0,
    };
}

function readBucket(name: BucketName): string[] {
    const stream = bucketStream(BUCKETS[name]);
    return [`$JS.API.STREAM.MSG.GET.${stream}`, ...follow(stream)];
}

function writeBucket(name: BucketName, keys: string): string[] {
    return [`$JS.API.STREAM.INFO.${bucketStream(BUCKETS[name])}`, `$KV.${BUCKETS[name].name}.${keys}`];
}

/** Ordered consumers: made and removed by the reader under random names. */
function follow(stream: string): string[] {
    return [
        `$JS.API.STREAM.INFO.${stream}`,
        `$JS.API.CONSUMER.CREATE.${stream}.*.>`,
        `$JS.API.CONSUMER.INFO.${stream}.*`,
        `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
        `$JS.API.CONSUMER.DELETE.${stream}.*`,
    ];
}

function workThrough(durable: string): string[] {
    return [
        `$JS.API.CONSUMER.INFO.${STREAMS.events}.${durable}`,
        `$JS.API.CONSUMER.MSG.NEXT.${STREAMS.events}.${durable}`,
        `$JS.API.CONSUMER.UNPIN.${STREAMS.events}.${durable}`,
        `$JS.ACK.${STREAMS.events}.${durable}.>`,
    ];
}

/** What would change, empty or remove somebody's durable consumer. */
function touchDurable(durable: string): string[] {
    return [
        `$JS.API.CONSUMER.CREATE.${STREAMS.events}.${durable}.>`,
        `$JS.API.CONSUMER.MSG.NEXT.${STREAMS.events}.${durable}`,
        `$JS.API.CONSUMER.DELETE.${STREAMS.events}.${durable}`,
    ];
}

/** The quotes keep `$` and `>` from being read as nats-server's own syntax. */
const list = (subjects: readonly string[]): string =>
    `[${[...new Set(subjects)].map((subject) => JSON.stringify(subject)).join(", ")}]`;

function refuseUnusable(users: readonly BusUser[]): void {
    const problems = users.flatMap(({ instance, nkeyPublic }, index) => [
        ...(InstanceId.safeParse(instance).success ? [] : [`"${instance}" is no instance id`]),
        ...(PUBLIC_NKEY.test(nkeyPublic) ? [] : [`the public nkey of ${instance} is not one`]),
        ...(users.findIndex((user) => user.instance === instance) === index ? [] : [`${instance} is there twice`]),
        ...(users.findIndex((user) => user.nkeyPublic === nkeyPublic) === index ? [] : [`${instance} shares its nkey`]),
    ]);
    if (problems.length > 0) throw new ConfigError("CONFIG_INVALID", `bus users: ${problems.join("; ")}`);
}
