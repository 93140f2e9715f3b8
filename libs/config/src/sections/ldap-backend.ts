// A backend of kind `ldap` in `auth-broker.backends` of postern.yaml.
import { z } from "zod";
import { duration, filePath } from "../scalars.ts";

const server = z
    .string()
    .regex(
        /^ldaps?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$/,
        "ldaps://host:636, or ldap://host:389 for StartTLS",
    )
    .describe("`ldaps://dc1.corp.example:636`, or `ldap://…:389`, where StartTLS comes before everything else.");

export const ldapBackend = z
    .strictObject({
        kind: z
            .literal("ldap")
            .describe("LDAP directories, such as Active Directory and OpenLDAP: they can check PAP alone."),
        servers: z.array(server).min(1).max(16).describe("The servers, in the order in which they are asked."),
        caFile: filePath()
            .optional()
            .describe(
                "Certificates (PEM) that servers' certificates must come from; without it those that Node knows.",
            ),
        serverName: z
            .string()
            .min(1)
            .max(255)
            .optional()
            .describe("The name that servers' certificates must have; without it the host of each server."),
        flavour: z
            .enum(["active-directory", "rfc2307", "generic"])
            .default("generic")
            .describe("What is customary: the defaults of `userFilter`, `nameAttribute` and `groups`."),
        bindDn: z.string().min(1).optional().describe("The service account that looks users up."),
        passwordFile: filePath()
            .optional()
            .describe("Its password, in a file of mode 0600; a newline at its end does not count."),
        userBase: z.string().min(1).describe("The DN under which users are."),
        userFilter: z
            .string()
            .regex(/^\(.*\{user\}.*\)$/s, "a filter in parentheses with {user}, such as (uid={user})")
            .optional()
            .describe("Finds a user; `{user}` is the name without domain, escaped (RFC 4515)."),
        nameAttribute: z
            .string()
            .regex(/^[A-Za-z][A-Za-z0-9-]*$/)
            .optional()
            .describe("The attribute with the user's name: `sAMAccountName` of `active-directory`, else `uid`."),
        groupBase: z.string().min(1).optional().describe("The DN under which groups are; without it `userBase`."),
        groups: z
            .enum(["in-chain", "member", "member-uid", "none"])
            .optional()
            .describe(
                "How groups are found: by Active Directory's rule for nested groups, step by step over `member`, by `memberUid` (not nested), or not at all.",
            ),
        groupName: z
            .string()
            .regex(/^[A-Za-z][A-Za-z0-9-]*$/)
            .optional()
            .describe("The attribute that names a group: `sAMAccountName` of `active-directory`, else `cn`."),
        groupDepth: z
            .int()
            .min(1)
            .max(64)
            .default(10)
            .describe("How deep groups may be nested with `groups: member`; deeper ones refuse the login.")
            .meta({ limit: "Searches for the groups of one login." }),
        groupLimit: z
            .int()
            .min(1)
            .max(10_000)
            .default(1_000)
            .describe("Groups that one user may have; more refuse the login.")
            .meta({ limit: "Groups that are read for one login, about 200 bytes each." }),
        serverTimeout: duration({ min: "100ms", max: "60s" })
            .prefault("2s")
            .describe("How long one server may take for a login; then the next one is asked."),
        timeout: duration({ min: "500ms", max: "110s" })
            .prefault("6s")
            .describe("After this time without a decision the backend is unreachable."),
        deadTime: duration({ min: "100ms", max: "1h" })
            .prefault("10s")
            .describe("How long after a failure a server is tried again, without a login having to wait for it."),
        idle: z
            .int()
            .min(0)
            .max(64)
            .default(4)
            .describe("Connections of the service account to one server that are kept for the next login.")
            .meta({ limit: "Idle connections to each server." }),
        idleTime: duration({ min: "1s", max: "1h" }).prefault("60s").describe("How long they are kept."),
        outstanding: z
            .int()
            .min(1)
            .max(10_000)
            .default(128)
            .describe("Logins that wait for one server at once; then the next server is asked.")
            .meta({ limit: "Two connections to each server for each login." }),
    })
    .superRefine(({ bindDn, passwordFile }, context) => {
        if ((bindDn === undefined) === (passwordFile === undefined)) return;
        const path = [bindDn === undefined ? "passwordFile" : "bindDn"];
        context.addIssue({ code: "custom", path, message: "bindDn and passwordFile belong together" });
    });
