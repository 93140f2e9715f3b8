// The permission table of the contracts in nats-server's syntax: one nkey user an instance, with the least subjects it needs.
import {
    BUCKETS,
    CONSUMERS,
    GRANTS,
    InstanceId,
    STREAMS,
    type BucketName,
    type Grant,
    type Role,
} from "@postern/contracts";
import { ConfigError } from "@postern/errors";
import { inboxPrefix } from "./connect.ts";
import { bucketStream } from "./requirements.ts";

export interface BusUser {
    readonly role: Role;
    /** Unique over all roles: it names the inbox. */
    readonly instance: string;
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

/** An `authorization { … }` block for nats-server's configuration.  Rejects users whose names or keys are not usable. */
export function natsPermissions(tenant: string, users: readonly BusUser[]): string {
    refuseUnusable(users);
    return ["authorization {", "  users = [", ...users.map((user) => userEntry(tenant, user)), "  ]", "}", ""].join(
        "\n",
    );
}

function userEntry(tenant: string, { role, instance, nkeyPublic }: BusUser): string {
    const { publish, subscribe, answers } =
        role === "admin" ? ADMIN : permissionsOf(GRANTS[role], `postern.${tenant}`, instance);
    const deny = publish.deny.length === 0 ? "" : `, deny: ${list(publish.deny)}`;
    return [
        `    # ${role} ${instance}`,
        `    { nkey: ${nkeyPublic}, permissions: {`,
        `        publish: { allow: ${list(publish.allow)}${deny} },`,
        `        subscribe: { allow: ${list(subscribe)} },`,
        ...(answers ? [`        allow_responses: ${ALLOW_RESPONSES}`] : []),
        `    } }`,
    ].join("\n");
}

const ADMIN: Permissions = { publish: { allow: [">"], deny: [] }, subscribe: [">"], answers: false };

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
