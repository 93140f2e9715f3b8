// `auth-broker.policies` in postern.yaml: what users may do, by group, name and backend.
import { IpError, parseCidr } from "@postern/ip";
import { z } from "zod";
import { duration } from "../scalars.ts";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/;

function isTimeZone(zone: string): boolean {
    try {
        return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
    } catch (error) {
        if (error instanceof RangeError) return false;
        throw error;
    }
}

const time = z.string().regex(TIME, "a time of the day such as 07:30, or 24:00");

const span = z
    .strictObject({
        days: z.array(z.enum(DAYS)).min(1).describe("Weekdays."),
        from: time.describe("When it begins: `07:30`."),
        to: time.describe("When it ends: `19:00`; `24:00` is the end of the day, and a night is two spans."),
    })
    .refine(({ from, to }) => from < to, { path: ["to"], message: "must be later than `from`: a night is two spans" });

const hours = z.strictObject({
    zone: z
        .string()
        .refine(isTimeZone, "an IANA time zone such as Europe/Berlin")
        .describe("Time zone of the times, such as `Europe/Berlin`."),
    spans: z.array(span).min(1).max(64).describe("The user may be connected in any of these."),
});

function isNetwork(text: string): boolean {
    try {
        return parseCidr(text).version === 4;
    } catch (error) {
        if (error instanceof IpError) return false;
        throw error;
    }
}

const network = z.string().refine(isNetwork, "an IPv4 network such as 10.0.0.0/8, without bits behind its prefix");

const values = z.strictObject({
    pool: z.string().optional().describe("Address pool, of `session-registry.pools`."),
    address: z.ipv4().optional().describe("A fixed inner address; for one user."),
    dns: z.array(z.ipv4()).max(2).optional().describe("Name servers instead of the pool's."),
    routes: z
        .array(network)
        .max(64)
        .optional()
        .describe(
            "IPv4 networks behind the tunnel, such as `10.0.0.0/8`, told to clients that ask by DHCPINFORM, as Windows does; without the key nothing is told, and clients send everything.",
        ),
    searchSuffix: z
        .string()
        .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, "a DNS suffix such as corp.example")
        .optional()
        .describe("The suffix of names, told likewise."),
    maxSessions: z.int().min(1).max(1_000).optional().describe("Sessions of one user at once."),
    onLimit: z
        .enum(["deny", "replace"])
        .optional()
        .describe("At that limit: `deny` the new session, or `replace` the oldest."),
    sessionTimeout: duration({ min: "10s", max: "366d" }).optional().describe("The longest that a session lasts."),
    idleTimeout: duration({ min: "10s", max: "366d" })
        .optional()
        .describe("How long a session lasts without traffic inside."),
    hours: hours
        .optional()
        .describe("When users may be connected: logins at other times are refused, and sessions end when it is over."),
});

const rule = z.strictObject({
    name: z.string().min(1).max(64).describe("What `postern policy explain` calls it."),
    groups: z.array(z.string().min(1)).min(1).optional().describe("For users in any of these groups."),
    users: z.array(z.string().min(1)).min(1).optional().describe("For any of these users, by their canonical names."),
    backends: z.array(z.string().min(1)).min(1).optional().describe("For users whom any of these backends verified."),
    set: values.describe("What holds for them; the rest is as earlier rules have it."),
});

export const policyRules = z
    .array(rule)
    .max(1_000)
    .default([])
    .describe(
        "What users may do. All rules that fit count, later ones override earlier ones, and what a backend says of a user (RADIUS attributes, the local account) overrides all.",
    );
