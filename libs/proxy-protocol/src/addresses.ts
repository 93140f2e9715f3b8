// Addresses as the PROXY protocol writes them: text in version 1, octets in version 2 (§2.1, §2.2).
import { readU16, writeU16 } from "@postern/bytes";

/** The canonical text of an address in 4 or 16 octets. An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is given as IPv4. */
export function decodeAddress(octets: Uint8Array): string {
    if (octets.length === 4) return octets.join(".");
    const groups = Array.from({ length: 8 }, (_, index) => readU16(octets, index * 2));
    if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return octets.subarray(12).join(".");
    return compress(groups);
}

/** RFC 5952: the longest run of zero groups, from two on, becomes `::`. */
function compress(groups: readonly number[]): string {
    let best = { at: -1, length: 1 };
    for (let at = 0; at < groups.length; at += 1) {
        let length = 0;
        while (groups[at + length] === 0) length += 1;
        if (length > best.length) best = { at, length };
    }
    const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
    if (best.at < 0) return hex(groups);
    return `${hex(groups.slice(0, best.at))}::${hex(groups.slice(best.at + best.length))}`;
}

/** The octets that `text` spells, `undefined` where it is no address of `version`. */
export function encodeAddress(version: 4 | 6, text: string): Uint8Array<ArrayBuffer> | undefined {
    return version === 4 ? encodeIpv4(text) : encodeIpv6(text);
}

/** The canonical form of `text`, `undefined` where it is no address of `version`. */
export function parseAddress(version: 4 | 6, text: string): string | undefined {
    const octets = encodeAddress(version, text);
    return octets && decodeAddress(octets);
}

function encodeIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
    const parts = text.split(".");
    const valid = parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
    return valid ? Uint8Array.from(parts, Number) : undefined;
}

function encodeIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
    const [head = "", tail, ...more] = text.split("::");
    if (more.length > 0) return undefined;
    const before = parseGroups(head);
    const after = tail === undefined ? [] : parseGroups(tail);
    if (before === undefined || after === undefined) return undefined;
    const missing = 8 - before.length - after.length;
    if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
    const octets = new Uint8Array(16);
    [...before, ...Array.from({ length: missing }, () => 0), ...after].forEach((group, index) =>
        writeU16(octets, index * 2, group),
    );
    return octets;
}

/** Groups of one side of `::`; the last may be an IPv4 address (RFC 4291 §2.2). */
function parseGroups(text: string): number[] | undefined {
    if (text === "") return [];
    const groups: number[] = [];
    const parts = text.split(":");
    for (const [index, part] of parts.entries()) {
        const embedded = index === parts.length - 1 ? encodeIpv4(part) : undefined;
        if (embedded !== undefined) groups.push(readU16(embedded, 0), readU16(embedded, 2));
        else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
        else return undefined;
    }
    return groups;
}
