// `auth-broker` in postern.yaml.
import { z } from "zod";
import { duration, filePath } from "../scalars.ts";
import { authChain, LOCAL_BACKEND } from "./auth-chain.ts";
import { policyRules } from "./policies.ts";
import { dynamicAuthorization } from "./dynamic-authorization.ts";
import { ldapBackend } from "./ldap-backend.ts";
import { radiusBackend, radiusTimeProblem } from "./radius-backend.ts";
import { serviceKeys } from "./service-keys.ts";

const names = z.strictObject({
    caseSensitive: z.boolean().default(false).describe("Whether `Alice` and `alice` are two users."),
    ownDomains: z
        .array(z.string().min(1).max(255))
        .default([])
        .describe("Domains and realms of the local users: `CORP\\alice` and `alice@corp.example` are then `alice`."),
    otherDomains: z
        .enum(["strip", "keep", "refuse"])
        .default("keep")
        .describe("Any other domain is dropped, kept (`CORP\\alice` is `alice@corp`), or the name refused."),
});

const hashing = z.strictObject({
    concurrency: z
        .int()
        .min(1)
        .max(3)
        .default(2)
        .describe("PAP passwords hashed at once; the thread pool has four threads, and files need one.")
        .meta({ limit: "32 MiB of memory and one core for each hash." }),
    waiting: z
        .int()
        .min(0)
        .max(10_000)
        .default(64)
        .describe("PAP logins that wait for their turn; more are answered `throttled`.")
        .meta({ limit: "The wait for a hash: about 80 ms for each login in front, divided by `concurrency`." }),
});

const bucket = (burst: number, perMinute: number, whose: string) =>
    z
        .strictObject({
            burst: z.int().min(1).max(100_000).default(burst).describe(`Attempts that ${whose} may make at once.`),
            perMinute: z
                .number()
                .positive()
                .max(1_000_000)
                .default(perMinute)
                .describe(`Attempts that ${whose} may make in the long run.`)
                .meta({
                    limit: `Attempts of ${whose} on each broker; more are answered \`throttled\` before any work.`,
                }),
        })
        .prefault({});

const throttle = z.strictObject({
    source: bucket(100, 300, "one source (an IPv4 address, an IPv6 /64)"),
    user: bucket(20, 30, "one user"),
    entries: z
        .int()
        .min(100)
        .max(10_000_000)
        .default(100_000)
        .describe("Sources, and users, that are remembered.")
        .meta({ limit: "About 200 bytes of memory for each source and each user." }),
});

const failureDelay = z.strictObject({
    first: duration({ max: "10s" })
        .prefault("250ms")
        .describe("How long the first refusal of a user is held back; it doubles with each further one."),
    max: duration({ max: "30s" })
        .prefault("4s")
        .describe("The longest that a refusal is held back.")
        .meta({ limit: "Guesses of one password in a row." }),
});

const lockout = z.strictObject({
    failures: z
        .int()
        .min(0)
        .max(1_000)
        .default(10)
        .describe("Failures of one user from one source, on all brokers together, that lock it out; 0 never does."),
    window: duration({ min: "1s", max: "1d" })
        .prefault("15m")
        .describe("Failures older than this, with none since, do not count."),
    duration: duration({ min: "1s", max: "30d" })
        .prefault("15m")
        .describe("How long the user is refused from that source."),
    entries: z
        .int()
        .min(100)
        .max(1_000_000)
        .default(50_000)
        .describe("Pairs of user and source whose failures are counted; a fifth is kept for users that exist.")
        .meta({ limit: "About 400 bytes of memory and one key in `auth-state` for each pair." }),
});

const ban = z.strictObject({
    failures: z
        .int()
        .min(0)
        .max(100_000)
        .default(50)
        .describe("Refusals of one source on one broker after which the ingresses drop its connections; 0 never bans."),
    window: duration({ min: "1s", max: "1d" }).prefault("10m").describe("The time in which these must happen."),
    duration: duration({ min: "1s", max: "30d" }).prefault("1h").describe("How long a source stays banned."),
    exempt: z
        .array(z.union([z.cidrv4(), z.cidrv6()], "a network such as 10.0.0.0/8 or fd00::/8"))
        .default([])
        .describe("Sources that are never banned, such as an office behind one address."),
});

const audit = z.strictObject({
    window: duration({ min: "100ms", max: "1h" })
        .prefault("10s")
        .describe("Repeated `auth.failed` of one name, source and reason are summed up over this time."),
    entries: z
        .int()
        .min(10)
        .max(100_000)
        .default(500)
        .describe("Different ones in a window that get an event each; beyond them there is one sum per reason.")
        .meta({ limit: "Events that an attacker can cause: twice this number in a window, on each broker." }),
});

const limits = z.strictObject({
    conversations: z
        .int()
        .min(10)
        .max(1_000_000)
        .default(10_000)
        .describe("Logins that are being decided or were decided less than `resultKept` ago.")
        .meta({ limit: "About 4 KiB of memory for each login." }),
    accounts: z
        .int()
        .min(1)
        .max(5_000_000)
        .default(100_000)
        .describe("Local users that are kept in memory; users beyond the limit cannot log in.")
        .meta({ limit: "About 1.5 KiB of memory for each local user." }),
});

const section = z.strictObject({
    ...serviceKeys("127.0.0.1:9301"),
    sealKey: filePath()
        .optional()
        .describe("The private key, mode 0600, that the workers' `auth.brokerKey` belongs to. Needed to run a broker."),
    accountsKey: filePath()
        .optional()
        .describe("The key, mode 0600, that local users are stored under. Needed to run a broker."),
    methods: z
        .array(z.enum(["eap", "mschapv2", "chap", "pap"]))
        .min(1)
        .default(["mschapv2", "eap", "pap"])
        .describe("Authentication methods that are accepted, whatever the workers offer."),
    backends: z
        .record(
            z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "lower-case letters, digits and hyphens, at most 32"),
            z.discriminatedUnion("kind", [ldapBackend, radiusBackend]),
        )
        .default({})
        .describe("Who else knows users, by the names that `chain` uses; `local` is always there."),
    chain: authChain,
    policies: policyRules,
    dynamicAuthorization: dynamicAuthorization.describe("RADIUS clients that may end and change sessions, RFC 5176."),
    timeout: duration({ min: "5s", max: "10m" })
        .prefault("120s")
        .describe("How long one login may take, with everything that the user is asked.")
        .meta({ limit: "Logins that never end." }),
    resultKept: duration({ min: "1s", max: "5m" })
        .prefault("30s")
        .describe("How long a result is remembered for clients and workers that ask again.")
        .meta({ limit: "Finished logins in memory." }),
    mschapRetries: z
        .int()
        .min(0)
        .max(10)
        .default(0)
        .describe("How often a client of MS-CHAPv2 may try other credentials without dialling again (R=1)."),
    names: names.prefault({}),
    hashing: hashing.prefault({}),
    throttle: throttle.prefault({}),
    failureDelay: failureDelay.prefault({}),
    lockout: lockout.prefault({}),
    ban: ban.prefault({}),
    audit: audit.prefault({}),
    limits: limits.prefault({}),
});
/** What `chain` and `policies` name must be there. */
export const authBrokerSection = section.superRefine((broker, context) => {
    const { backends, chain, policies, methods: accepted } = broker;
    const isDirectory = (name: string): boolean => backends[name]?.kind === "ldap";
    if (LOCAL_BACKEND in backends) {
        const message = "`local` is the accounts of `postern user`: give this backend another name";
        context.addIssue({ code: "custom", path: ["backends", LOCAL_BACKEND], message });
    }
    for (const [name, backend] of Object.entries(backends)) {
        if (backend.kind !== "radius") continue;
        const problem = radiusTimeProblem(backend, broker.timeout);
        if (problem === undefined) continue;
        context.addIssue({ code: "custom", path: ["backends", name, problem.key], message: problem.message });
    }
    const known = [LOCAL_BACKEND, ...Object.keys(backends)];
    for (const [at, { backends: links }] of chain.entries()) {
        for (const [index, { use, methods }] of links.entries()) {
            if (isDirectory(use) && methods?.some((method) => method !== "pap") === true) {
                const path = ["chain", at, "backends", index, "methods"];
                const message = `${use} is an LDAP directory: it can check pap alone, no MS-CHAPv2, CHAP or EAP`;
                context.addIssue({ code: "custom", path, message });
            }
            if (known.includes(use)) continue;
            const path = ["chain", at, "backends", index, "use"];
            context.addIssue({ code: "custom", path, message: `no such backend; known here: ${known.join(", ")}` });
        }
    }
    for (const [at, { backends: named = [] }] of policies.entries()) {
        for (const [index, name] of named.entries()) {
            if (known.includes(name)) continue;
            const path = ["policies", at, "backends", index];
            context.addIssue({ code: "custom", path, message: `no such backend; known here: ${known.join(", ")}` });
        }
    }
    const used = chain.flatMap(({ backends: links }) => links.map(({ use }) => use));
    if (!used.some(isDirectory)) return;
    if (!accepted.includes("pap")) {
        const message = "the chain asks an LDAP directory, which can check pap alone: pap must be among the methods";
        context.addIssue({ code: "custom", path: ["methods"], message });
    } else if (used.every(isDirectory) && accepted.length > 1) {
        const message =
            "the chain asks LDAP directories alone, which cannot check MS-CHAPv2, CHAP or EAP: write methods: [pap]";
        context.addIssue({ code: "custom", path: ["methods"], message });
    }
});
export type AuthBrokerSection = z.output<typeof authBrokerSection>;
