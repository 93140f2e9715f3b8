// `session-registry` in postern.yaml.
import { formatCidr, formatIpv4, IpError, ipv4Hosts, ipv6Networks, parseCidr, parseIpv4 } from "@postern/ip";
import { z } from "zod";
import { duration } from "../scalars.ts";
import { serviceKeys } from "./service-keys.ts";

/** Addresses as unsigned 32-bit numbers, both ends included. */
export interface Ipv4Range {
    readonly first: number;
    readonly last: number;
}

const MAX_POOL_ADDRESSES = 2 ** 20;
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

function hosts(text: string): Ipv4Range {
    const cidr = parseCidr(text);
    if (cidr.version !== 4) throw new IpError("IP_BAD_ADDRESS", `${text} is not an IPv4 network`);
    return ipv4Hosts(cidr);
}

/** A network means all of it here, not only its hosts. */
function block(text: string): Ipv4Range {
    const [from, to] = text.split("-", 2);
    if (from !== undefined && to !== undefined) {
        const range = { first: parseIpv4(from.trim()), last: parseIpv4(to.trim()) };
        if (range.first > range.last) throw new IpError("IP_BAD_ADDRESS", `${text} ends before it begins`);
        return range;
    }
    const cidr = parseCidr(text);
    if (cidr.version !== 4) throw new IpError("IP_BAD_ADDRESS", `${text} is not IPv4`);
    return { first: cidr.network, last: cidr.network + 2 ** (32 - cidr.prefixLength) - 1 };
}

/** Long enough to be somebody's own, and short enough for a few sessions.  Text, because values of postern.yaml are frozen. */
function ipv6Block(text: string): string {
    const cidr = parseCidr(text);
    if (cidr.version !== 6 || cidr.prefixLength < 32 || cidr.prefixLength > 60) {
        throw new IpError("IP_BAD_ADDRESS", `${text} is not an IPv6 network with a prefix length from 32 to 60`);
    }
    return formatCidr(cidr);
}

const parsed = <Value>(kind: string, parse: (text: string) => Value) =>
    z
        .string(kind)
        .transform((text, context): Value => {
            try {
                return parse(text);
            } catch (error) {
                if (!(error instanceof IpError)) throw error;
                const message = error.message.replace(/^[A-Z_]+: /, "");
                context.issues.push({ code: "custom", message, input: text });
                return z.NEVER;
            }
        })
        .meta({ kind });

const ipv6 = z.strictObject({
    prefix: parsed("IPv6 network", ipv6Block)
        .describe(
            "Each address of `networks` has a /64 of it, in their order from the second one on; the first /64 is the gateway's. Such as `fd12:3456:789a::/48`.",
        )
        .meta({ limit: "IPv6 sessions of this pool: one less than it has /64 networks." }),
    dns: z.array(z.ipv6()).max(3).default([]).describe("IPv6 name servers told to clients."),
});

const pool = z.strictObject({
    networks: z
        .array(parsed("IPv4 network", hosts))
        .min(1)
        .describe("Networks whose host addresses sessions are given, such as `10.91.0.0/16`.")
        .meta({ limit: "Sessions of this pool; a pool has at most 1,048,576 addresses, 8 bytes of memory each." }),
    exclude: z
        .array(parsed("IPv4 address, range or network", block))
        .default([])
        .describe("What sessions are never given: `10.91.0.10`, `10.91.0.2-10.91.0.20` or `10.91.255.0/24`."),
    gateway: z.ipv4().describe("The server's address inside the tunnels of this pool; never given to a session."),
    hold: duration({ max: "30d" })
        .prefault("10m")
        .describe("How long the address of an ended session is kept for its user; others get it last."),
    dns: z.array(z.ipv4()).max(2).default([]).describe("Name servers told to clients, unless their policy names some."),
    nbns: z.array(z.ipv4()).max(2).default([]).describe("WINS servers told to clients."),
    ipv6: ipv6.optional().describe("Absent: sessions of this pool have no IPv6."),
});

const limits = z.strictObject({
    sessionsPerUser: z
        .int()
        .min(1)
        .max(1000)
        .default(3)
        .describe("Sessions of one user at once, unless the user's policy says otherwise.")
        .meta({ limit: "Addresses that one user can hold." }),
    onLimit: z
        .enum(["deny", "replace"])
        .default("replace")
        .describe(
            "At the limit: `deny` the new session, or `replace` the user's oldest. Sessions whose worker is gone never count.",
        ),
    questions: z
        .int()
        .min(1)
        .max(4096)
        .default(128)
        .describe("Questions of one kind answered at once; sixteen times as many wait, the rest is refused.")
        .meta({ limit: "Memory of a registry under load, and its requests in flight to NATS." }),
    endedSessions: z
        .int()
        .min(100)
        .default(20_000)
        .describe("Records of ended sessions kept at most; the oldest go first.")
        .meta({ limit: "Size of the bucket `sessions` beyond the live ones, about 1 KiB each." }),
    bans: z
        .int()
        .min(1)
        .max(100_000)
        .default(4096)
        .describe("Bans at once; one more replaces the one that would end first.")
        .meta({ limit: "Size of the bucket `bans` and of every ingress's list." }),
});

const worker = z.strictObject({
    lostAfter: duration({ min: "1s", max: "1h" })
        .prefault("20s")
        .describe(
            "A suspect worker that does not answer is lost after so long, if the registry had the bus without a break.",
        ),
    amnesty: duration({ min: "0s", max: "1h" })
        .prefault("10s")
        .describe("After an outage of the bus nobody is called suspect for so long: workers renew their records."),
    reconcileEvery: duration({ min: "1s", max: "1h" })
        .prefault("30s")
        .describe("How often each worker's sessions are compared with the records, and their counters noted."),
});

const reaper = z.strictObject({
    every: duration({ min: "100ms", max: "1h" })
        .prefault("5s")
        .describe("How often records are searched for what a crash left half done."),
    grace: duration({ min: "500ms", max: "1h" })
        .prefault("15s")
        .describe("How long something half done must have been left alone before it is undone."),
    keepEnded: duration({ min: "10s", max: "30d" })
        .prefault("15m")
        .describe("How long the record of an ended session is kept."),
});

export const sessionRegistrySection = z
    .strictObject({
        ...serviceKeys("127.0.0.1:9401"),
        pools: z
            .record(z.string().regex(NAME, "lower-case letters, digits and hyphens, at most 32"), pool)
            .prefault({ default: { networks: ["10.91.0.0/16"], gateway: "10.91.0.1" } })
            .describe("Address pools by name; a user's policy names one, else it is `default`."),
        limits: limits.prefault({}),
        admitWithin: duration({ min: "500ms", max: "4500ms" })
            .prefault("4500ms")
            .describe("How long an admission may take; what it began is undone later. Askers wait for five seconds."),
        replaceWait: duration({ min: "0s", max: "3s" })
            .prefault("1s")
            .describe("How long a replaced session may take to end by itself, with exact counters."),
        worker: worker.prefault({}),
        reaper: reaper.prefault({}),
    })
    .superRefine(({ pools }, context) => {
        const taken: { readonly name: string; readonly range: Ipv4Range }[] = [];
        for (const [name, { networks, ipv6: six }] of Object.entries(pools)) {
            const size = networks.reduce((sum, { first, last }) => sum + last - first + 1, 0);
            const available = six === undefined ? Infinity : ipv6Networks(parseCidr(six.prefix)) - 1;
            if (size > available) {
                const message = `has room for ${available} sessions; \`networks\` has ${size} addresses, each with a /64 of its own`;
                context.addIssue({ code: "custom", path: ["pools", name, "ipv6", "prefix"], message });
            }
            if (size > MAX_POOL_ADDRESSES) {
                const message = `${size} addresses; a pool has at most ${MAX_POOL_ADDRESSES}`;
                context.addIssue({ code: "custom", path: ["pools", name, "networks"], message });
            }
            for (const [at, range] of networks.entries()) {
                const other = taken.find((one) => one.range.first <= range.last && range.first <= one.range.last);
                if (other !== undefined) {
                    const message = `overlaps ${formatIpv4(other.range.first)}-${formatIpv4(other.range.last)} of pool ${other.name}`;
                    context.addIssue({ code: "custom", path: ["pools", name, "networks", at], message });
                }
                taken.push({ name, range });
            }
        }
    });
export type SessionRegistrySection = z.output<typeof sessionRegistrySection>;
