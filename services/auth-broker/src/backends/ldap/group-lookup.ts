// The groups of a user, nested ones included.
import { DependencyError } from "@postern/errors";
import type { SearchOptions } from "ldapts";
import type { DirectoryEntry } from "./directory-entry.ts";
import type { ServerSession } from "./directory-server.ts";
import { escapeFilter } from "./filter-text.ts";

export interface GroupSettings {
    readonly how: "in-chain" | "member" | "member-uid" | "none";
    readonly base: string;
    /** The attribute that names a group. */
    readonly name: string;
    readonly depth: number;
    readonly limit: number;
}

/** LDAP_MATCHING_RULE_IN_CHAIN, [MS-ADTS] 3.1.1.3.4.4.3: Active Directory follows nested groups itself. */
const IN_CHAIN = "1.2.840.113556.1.4.1941";
/** Groups asked about in one search. */
const BATCH = 50;

/** Names without order.  Throws a DependencyError where there are more than the settings allow: rights could be missing. */
export async function lookUpGroups(
    session: Pick<ServerSession, "search">,
    settings: GroupSettings,
    user: { readonly dn: string; readonly name: string },
): Promise<string[]> {
    switch (settings.how) {
        case "none":
            return [];
        case "in-chain":
            return names(
                await find(session, settings, `(&(objectClass=group)(member:${IN_CHAIN}:=${escapeFilter(user.dn)}))`),
                settings,
            );
        case "member-uid":
            return names(
                await find(session, settings, `(&(objectClass=posixGroup)(memberUid=${escapeFilter(user.name)}))`),
                settings,
            );
        case "member":
            return names(await climb(session, settings, user.dn), settings);
    }
}

/** From the user to groups, from these to the groups that they are in, until nothing is new; circles end there, too. */
async function climb(
    session: Pick<ServerSession, "search">,
    settings: GroupSettings,
    dn: string,
): Promise<DirectoryEntry[]> {
    const found = new Map<string, DirectoryEntry>();
    let level = [dn];
    for (let depth = 1; level.length > 0; depth += 1) {
        const next: string[] = [];
        for (let at = 0; at < level.length; at += BATCH) {
            const members = level.slice(at, at + BATCH).map((one) => escapeFilter(one));
            const tests = members.map((one) => `(member=${one})(uniqueMember=${one})`).join("");
            for (const group of await find(session, settings, `(|${tests})`)) {
                if (found.has(group.dn.toLowerCase())) continue;
                found.set(group.dn.toLowerCase(), group);
                next.push(group.dn);
            }
        }
        if (next.length > 0 && depth > settings.depth) throw tooMany(`nested deeper than ${settings.depth}`);
        if (found.size > settings.limit) throw tooMany(`more than ${settings.limit}`);
        level = next;
    }
    return [...found.values()];
}

async function find(
    session: Pick<ServerSession, "search">,
    settings: GroupSettings,
    filter: string,
): Promise<DirectoryEntry[]> {
    const options: SearchOptions = { filter, scope: "sub", attributes: [settings.name], sizeLimit: settings.limit + 1 };
    const found = await session.search(settings.base, options);
    if (found.length > settings.limit) throw tooMany(`more than ${settings.limit}`);
    return found;
}

const names = (groups: readonly DirectoryEntry[], { name }: GroupSettings): string[] => [
    ...new Set(groups.flatMap((group) => group.values(name).slice(0, 1))),
];

const tooMany = (what: string): DependencyError =>
    new DependencyError("LDAP_TOO_MANY_GROUPS", `the user's groups are ${what}`);
