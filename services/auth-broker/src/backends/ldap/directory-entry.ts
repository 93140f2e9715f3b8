// What a search gave of one entry.  Attribute names differ in case from server to server (RFC 4512 §2.5).
import type { Entry } from "ldapts";

export interface DirectoryEntry {
    readonly dn: string;
    /** The texts of an attribute; empty where it is absent. */
    values(attribute: string): readonly string[];
}

export function directoryEntry({ dn, ...attributes }: Entry): DirectoryEntry {
    const byName = new Map(Object.entries(attributes).map(([name, value]) => [name.toLowerCase(), textsOf(value)]));
    return { dn, values: (attribute) => byName.get(attribute.toLowerCase()) ?? [] };
}

const textsOf = (value: Entry[string]): string[] =>
    (Array.isArray(value) ? value : [value]).map((one) => (typeof one === "string" ? one : one.toString("utf8")));
