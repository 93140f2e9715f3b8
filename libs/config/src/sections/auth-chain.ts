// `auth-broker.chain` in postern.yaml: which backends are asked about whom.
import { z } from "zod";

/** The accounts of `postern user`: always there, never in `auth-broker.backends`. */
export const LOCAL_BACKEND = "local";

const link = z.strictObject({
    use: z.string().describe("A backend of `backends`, or `local`: the accounts of `postern user`."),
    methods: z
        .array(z.enum(["eap", "mschapv2", "chap", "pap"]))
        .min(1)
        .optional()
        .describe("Methods that it serves here; without the key all that it can."),
    unreachable: z
        .enum(["deny", "next"])
        .default("deny")
        .describe(
            "What follows when it cannot decide: the login is refused, or the next backend is asked and an event tells it. A refusal is final either way.",
        ),
});

const entry = z.strictObject({
    realm: z
        .string()
        .regex(/^[^@\\\s]{1,255}$/, "a realm such as corp.example, or a domain such as CORP, without @ and backslash")
        .optional()
        .describe("Users of this realm (`alice@corp.example`) or domain (`CORP\\alice`), in any case of letters."),
    serverName: z.string().min(1).max(255).optional().describe("Clients that dialled this name (TLS SNI)."),
    backends: z.array(link).min(1).describe("Who is asked, in this order."),
});

export const authChain = z
    .array(entry)
    .min(1)
    .prefault([{ backends: [{ use: LOCAL_BACKEND }] }])
    .describe("Which backends decide about whom: the first entry that fits; nobody else is let in.");
