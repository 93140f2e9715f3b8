// What an Access-Accept says of its user: attributes of RFC 2865, 2869 and 2548 in the words of the policy.
import type { StatedPolicy } from "@postern/contracts";
import { formatIpv4 } from "@postern/ip";
import {
    ATTRIBUTE,
    type Attribute,
    MICROSOFT,
    oneValue,
    RadiusError,
    readInteger,
    readText,
    valuesOf,
    VENDOR,
    vendorValues,
} from "@postern/radius";
import { framedRoute } from "./framed-route.ts";

/** Where the names of groups are. */
export type GroupAttribute = "filter-id" | "class" | "none";

/** RFC 2865 §5.8: the client chooses, the NAS chooses. */
const CLIENT_CHOOSES = 0xffff_ffff;
const NAS_CHOOSES = 0xffff_fffe;
/** As many as the policy of a session holds. */
const MAX_ROUTES = 64;
/** What servers of Microsoft and Cisco write into Class. */
const CLASS_GROUP = /^OU=(?<group>[^;]{1,128});?$/i;

/** Throws a RadiusError where an attribute has another form than its RFC gives it. */
export function replyPolicy(attributes: readonly Attribute[]): StatedPolicy {
    const integer = (type: number): number | undefined => {
        const value = oneValue(attributes, type);
        // Zero is how some servers write "none".
        return (value && readInteger(value)) || undefined;
    };
    const address = integer(ATTRIBUTE.framedIpAddress);
    const pool = oneValue(attributes, ATTRIBUTE.framedPool);
    const dns = [MICROSOFT.primaryDnsServer, MICROSOFT.secondaryDnsServer].flatMap((type) =>
        vendorValues(attributes, VENDOR.microsoft, type)
            .slice(0, 1)
            .map((value) => formatIpv4(readInteger(value))),
    );
    const routes = valuesOf(attributes, ATTRIBUTE.framedRoute).map((value) => framedRoute(readText(value)));
    // What an administrator said is done as a whole, or nobody is let in.
    if (routes.length > MAX_ROUTES)
        throw new RadiusError(
            "RADIUS_BAD_ATTRIBUTE",
            `${routes.length} of Framed-Route, expected ${MAX_ROUTES} at most`,
        );
    const limits = {
        maxSessions: integer(ATTRIBUTE.portLimit),
        sessionTimeout: integer(ATTRIBUTE.sessionTimeout),
        idleTimeout: integer(ATTRIBUTE.idleTimeout),
    };
    return {
        ...(address === undefined || address === CLIENT_CHOOSES || address === NAS_CHOOSES
            ? {}
            : { framedAddress: formatIpv4(address) }),
        ...(pool === undefined ? {} : { pool: readText(pool) }),
        ...(dns.length === 0 ? {} : { dns }),
        ...(routes.length === 0 ? {} : { routes }),
        ...Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)),
    };
}

/** Throws a RadiusError for a name that is not UTF-8. */
export function replyGroups(attributes: readonly Attribute[], where: GroupAttribute): string[] {
    switch (where) {
        case "none":
            return [];
        case "filter-id":
            return valuesOf(attributes, ATTRIBUTE.filterId).map((value) => readText(value));
        case "class":
            // Anything may be in a Class that is not ours to read.
            return valuesOf(attributes, ATTRIBUTE.class).flatMap((value) => {
                const group = CLASS_GROUP.exec(Buffer.from(value).toString("utf8"))?.groups?.["group"];
                return group === undefined ? [] : [group];
            });
    }
}
