// Which sessions a request means, RFC 5176 §3: every attribute that identifies a session must fit.
import { canonicalName, type NameRules } from "@postern/accounts";
import { equalBytes } from "@postern/bytes";
import { SessionId, type QueryQuestion } from "@postern/contracts";
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "@postern/ip";
import { ATTRIBUTE, oneValue, readInteger, readIpv6Prefix, readText, type Attribute } from "@postern/radius";
import { isIPv4, isIPv6 } from "node:net";
import { refuse, type Refusal } from "./error-cause.ts";

export interface SessionTarget {
    /** At least one of them. */
    readonly filter: Pick<QueryQuestion, "session" | "principal" | "address" | "ipv6Prefix" | "client">;
    /** Only sessions of this worker: the NAS-Identifier was not that of the installation. */
    readonly worker: string | undefined;
}

export interface TargetRules {
    readonly names: NameRules;
    readonly nasIdentifiers: readonly string[];
    readonly nasAddresses: readonly string[];
}

/** Attributes that say which session is meant. */
export const SESSION_KEYS: readonly number[] = [
    ATTRIBUTE.acctSessionId,
    ATTRIBUTE.userName,
    ATTRIBUTE.framedIpAddress,
    ATTRIBUTE.framedIpv6Prefix,
    ATTRIBUTE.callingStationId,
];
/** Attributes that say which NAS is meant. */
export const NAS_KEYS: readonly number[] = [ATTRIBUTE.nasIdentifier, ATTRIBUTE.nasIpAddress, ATTRIBUTE.nasIpv6Address];

const IPV6_SIZE = 16;

/** What the attributes ask for.  Throws a RadiusError for a value without the form of its type, or one that is there twice. */
export function readTarget(attributes: readonly Attribute[], rules: TargetRules): SessionTarget | Refusal {
    if (!attributes.some(({ type }) => SESSION_KEYS.includes(type)))
        return refuse("missingAttribute", "nothing says which session is meant");
    if (!addressesAreOurs(attributes, rules.nasAddresses))
        return refuse("nasIdentificationMismatch", "another NAS-IP-Address than those of nasAddresses");
    const filter = readFilter(attributes, rules.names);
    if (filter === undefined) return refuse("sessionContextNotFound", "no session can have this identity");
    const nas = textOf(attributes, ATTRIBUTE.nasIdentifier);
    return { filter, worker: nas === undefined || rules.nasIdentifiers.includes(nas) ? undefined : nas };
}

/** `undefined`: a value that no session has. */
function readFilter(attributes: readonly Attribute[], names: NameRules): SessionTarget["filter"] | undefined {
    const filter: { -readonly [Key in keyof SessionTarget["filter"]]: SessionTarget["filter"][Key] } = {};
    const session = textOf(attributes, ATTRIBUTE.acctSessionId);
    if (session !== undefined) {
        if (!SessionId.safeParse(session).success) return undefined;
        filter.session = session;
    }
    const user = textOf(attributes, ATTRIBUTE.userName);
    if (user !== undefined) {
        const principal = canonicalName(user, names);
        if (principal === undefined) return undefined;
        filter.principal = principal;
    }
    const address = oneValue(attributes, ATTRIBUTE.framedIpAddress);
    if (address !== undefined) filter.address = formatIpv4(readInteger(address));
    const prefix = oneValue(attributes, ATTRIBUTE.framedIpv6Prefix);
    if (prefix !== undefined) {
        const { address: network, length } = readIpv6Prefix(prefix);
        // Sessions have a /64; what is wider or narrower is not theirs.
        if (length !== 64) return undefined;
        filter.ipv6Prefix = `${formatIpv6(network)}/64`;
    }
    const station = textOf(attributes, ATTRIBUTE.callingStationId);
    if (station !== undefined) {
        const client = canonicalAddress(station);
        if (client === undefined) return undefined;
        filter.client = client;
    }
    return filter;
}

function textOf(attributes: readonly Attribute[], type: number): string | undefined {
    const value = oneValue(attributes, type);
    return value && readText(value);
}

/** As records write it; `undefined`: not an IP address. */
function canonicalAddress(text: string): string | undefined {
    if (isIPv4(text)) return formatIpv4(parseIpv4(text));
    return isIPv6(text) && !text.includes("%") ? formatIpv6(parseIpv6(text)) : undefined;
}

function addressesAreOurs(attributes: readonly Attribute[], ours: readonly string[]): boolean {
    const address = oneValue(attributes, ATTRIBUTE.nasIpAddress);
    if (address !== undefined && !ours.includes(formatIpv4(readInteger(address)))) return false;
    const ipv6 = oneValue(attributes, ATTRIBUTE.nasIpv6Address);
    return (
        ipv6 === undefined ||
        (ipv6.length === IPV6_SIZE && ours.some((one) => isIPv6(one) && equalBytes(parseIpv6(one), ipv6)))
    );
}
