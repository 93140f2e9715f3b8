// IPv6 addresses: text as RFC 4291 §2.2 reads and RFC 5952 §4 writes it, and sixteen bytes in network order.
import { readU16, readU32, writeU16 } from "@postern/bytes";
import { IPV6_ADDRESS_SIZE } from "./constants.ts";
import { IpError } from "./errors.ts";
import { formatIpv4, parseDottedQuad, quote } from "./ipv4-address.ts";

const GROUPS = IPV6_ADDRESS_SIZE / 2;
const GROUP = /^[0-9a-f]{1,4}$/i;
/** `xxxx:xxxx:xxxx:xxxx:xxxx:xxxx:255.255.255.255`: no longer text is looked at. */
const MAX_TEXT_LENGTH = 45;

/** The 16 bytes of the address that `text` spells.  A zone (`%eth0`) is refused: it means nothing on another host. */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> {
    const groups = parseGroups(text);
    if (groups === undefined) {
        throw new IpError("IP_BAD_ADDRESS", `${quote(text)} is not an IPv6 address such as 2001:db8::1`);
    }
    const out = new Uint8Array(IPV6_ADDRESS_SIZE);
    groups.forEach((group, at) => writeU16(out, at * 2, group));
    return out;
}

function parseGroups(text: string): number[] | undefined {
    if (text.length > MAX_TEXT_LENGTH) return undefined;
    const [head = "", tail, ...more] = text.split("::");
    if (more.length > 0) return undefined;
    const before = parseRun(head, tail === undefined);
    if (tail === undefined) return before?.length === GROUPS ? before : undefined;
    const after = parseRun(tail, true);
    if (before === undefined || after === undefined) return undefined;
    const missing = GROUPS - before.length - after.length;
    // RFC 4291 §2.2: `::` stands for one or more groups.
    if (missing < 1) return undefined;
    return [...before, ...Array.from({ length: missing }, () => 0), ...after];
}

/** The groups of one side of `::`; only what ends the address may end in a dotted quad. */
function parseRun(text: string, isLast: boolean): number[] | undefined {
    if (text === "") return [];
    const parts = text.split(":");
    const groups: number[] = [];
    for (const [at, part] of parts.entries()) {
        if (isLast && at === parts.length - 1 && part.includes(".")) {
            const quad = parseDottedQuad(part);
            if (quad === undefined) return undefined;
            groups.push(quad >>> 16, quad & 0xffff);
        } else if (GROUP.test(part)) groups.push(Number.parseInt(part, 16));
        else return undefined;
    }
    return groups;
}

/** The text of the 16 bytes at `at`, in the one form that RFC 5952 §4 and §5 give every address. */
export function formatIpv6(bytes: Uint8Array, at = 0): string {
    if (bytes.length - at < IPV6_ADDRESS_SIZE) {
        throw new IpError("IP_BAD_ADDRESS", `an IPv6 address has 16 bytes, not ${bytes.length - at}`);
    }
    const groups = Array.from({ length: GROUPS }, (_, group) => readU16(bytes, at + group * 2));
    if (isIpv4Mapped(groups)) return `::ffff:${formatIpv4(readU32(bytes, at + 12))}`;
    const hidden = longestZeroRun(groups);
    const text = groups.map((group) => group.toString(16));
    if (hidden.length < 2) return text.join(":");
    return `${text.slice(0, hidden.start).join(":")}::${text.slice(hidden.start + hidden.length).join(":")}`;
}

function isIpv4Mapped(groups: readonly number[]): boolean {
    return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

/** RFC 5952 §4.2.3: the longest run of zero groups, and of two equally long ones the first. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
    let longest = { start: 0, length: 0 };
    let start = 0;
    for (const [at, group] of groups.entries()) {
        if (group !== 0) start = at + 1;
        else if (at + 1 - start > longest.length) longest = { start, length: at + 1 - start };
    }
    return longest;
}
