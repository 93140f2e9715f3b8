// One user, one name.  Clients send `u`, `U`, `DOMAIN\u` and `u@realm` for the same person; limits, locks and leases go by
// one canonical name, so that nobody gets a second set of them by writing his name differently.

export interface NameRules {
    /** Whether `Alice` and `alice` are two users. */
    readonly caseSensitive: boolean;
    /** Domains and realms whose users are known here by the bare name: `CORP\alice` and `alice@corp.example` are `alice`. */
    readonly ownDomains: readonly string[];
    /** Any other domain: dropped, kept as `alice@domain`, or the name refused. */
    readonly otherDomains: "strip" | "keep" | "refuse";
}

/** Characters (UTF-16 units) of a canonical name: as a key of the store it takes up to six times as many bytes. */
export const MAX_NAME_LENGTH = 128;

/** Control, format and unassigned characters, separators other than the space, and what separates domains. */
const FORBIDDEN = /[\p{C}\p{Zl}\p{Zp}\\@]/u;

/**
 * The canonical name of what a client claims to be, or `undefined` when no account can have that name.
 * Idempotent: a canonical name is its own canonical name under the same rules.
 */
export function canonicalName(claimed: string, rules: NameRules): string | undefined {
    const { user, domain } = splitName(claimed.normalize("NFC"));
    if (domain === undefined) return checkedName(user, rules);
    if (rules.otherDomains === "refuse" && !isOwn(domain, rules)) return undefined;
    // `CORP\alice@corp.example`: only a realm of our own may hide behind a domain.
    const bare = splitName(user);
    if (bare.domain !== undefined && !isOwn(bare.domain, rules)) return undefined;
    const name = checkedName(bare.user, rules);
    if (name === undefined || isOwn(domain, rules) || rules.otherDomains === "strip") return name;
    if (domain === "" || FORBIDDEN.test(domain)) return undefined;
    return withinLimit(`${name}@${fold(domain)}`);
}

/** `DOMAIN\user` before `user@realm`: a domain cannot contain `@`, a user name of the first form may. */
function splitName(name: string): { readonly user: string; readonly domain: string | undefined } {
    const backslash = name.indexOf("\\");
    // `\\user`: the client left the domain out.
    if (backslash === 0) return splitName(name.slice(1));
    if (backslash > 0) return { user: name.slice(backslash + 1), domain: name.slice(0, backslash) };
    const at = name.lastIndexOf("@");
    if (at >= 0) return { user: name.slice(0, at), domain: name.slice(at + 1) };
    return { user: name, domain: undefined };
}

const isOwn = (domain: string, rules: NameRules): boolean => rules.ownDomains.some((own) => fold(own) === fold(domain));

function checkedName(user: string, rules: NameRules): string | undefined {
    const name = rules.caseSensitive ? user : fold(user);
    if (name === "" || name !== name.trim() || FORBIDDEN.test(name)) return undefined;
    return withinLimit(name);
}

const withinLimit = (name: string): string | undefined => (name.length <= MAX_NAME_LENGTH ? name : undefined);

/** Lower case is not closed under normalisation, so it is normalised again. */
const fold = (text: string): string => text.normalize("NFC").toLowerCase().normalize("NFC");
