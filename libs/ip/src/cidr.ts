// Address blocks in CIDR notation, RFC 4632 §3.1 and RFC 4291 §2.3.
import { readU8 } from "@postern/bytes";
import { IPV6_ADDRESS_SIZE } from "./constants.ts";
import { IpError } from "./errors.ts";
import { formatIpv4, parseIpv4, quote } from "./ipv4-address.ts";
import { formatIpv6, parseIpv6 } from "./ipv6-address.ts";

export interface Ipv4Cidr {
    readonly version: 4;
    /** The block's first address. */
    readonly network: number;
    /** 0 to 32. */
    readonly prefixLength: number;
}

export interface Ipv6Cidr {
    readonly version: 6;
    /** The block's first address, 16 bytes. */
    readonly network: Uint8Array;
    /** 0 to 128. */
    readonly prefixLength: number;
}

/**
 * The block that `text` names, such as `10.91.0.0/16` or `2001:db8::/64`; an address without a prefix length is a block of
 * one.  Bits set beyond the prefix are refused: whoever wrote them meant another block or a single address.
 */
export function parseCidr(text: string): Ipv4Cidr | Ipv6Cidr {
    const slash = text.indexOf("/");
    const address = slash < 0 ? text : text.slice(0, slash);
    const isIpv6 = address.includes(":");
    const prefixLength = parsePrefixLength(text, slash, isIpv6 ? 128 : 32);
    return isIpv6
        ? checkedIpv6(text, parseIpv6(address), prefixLength)
        : checkedIpv4(text, parseIpv4(address), prefixLength);
}

function parsePrefixLength(text: string, slash: number, max: number): number {
    if (slash < 0) return max;
    const digits = text.slice(slash + 1);
    if (!/^\d{1,3}$/.test(digits) || Number(digits) > max) {
        throw new IpError("IP_BAD_ADDRESS", `${quote(text)} needs a prefix length from 0 to ${max} after the slash`);
    }
    return Number(digits);
}

function checkedIpv4(text: string, address: number, prefixLength: number): Ipv4Cidr {
    const network = (address & mask(prefixLength)) >>> 0;
    if (network !== address) throw hostBitsError(text, `${formatIpv4(network)}/${prefixLength}`);
    return { version: 4, network, prefixLength };
}

function checkedIpv6(text: string, address: Uint8Array, prefixLength: number): Ipv6Cidr {
    const network = ipv6Prefix(address, prefixLength);
    if (network.some((byte, at) => byte !== address[at])) {
        throw hostBitsError(text, `${formatIpv6(network)}/${prefixLength}`);
    }
    return { version: 6, network, prefixLength };
}

/** The 16 bytes of an address with all bits behind the prefix 0. */
export function ipv6Prefix(address: Uint8Array, prefixLength: number): Uint8Array {
    return Uint8Array.from(address, (byte, at) => byte & byteMask(prefixLength, at));
}

function hostBitsError(text: string, block: string): IpError {
    return new IpError("IP_BAD_ADDRESS", `${quote(text)} is an address inside the block ${block}, not a block`);
}

/** `10.91.0.0/16`, `2001:db8::/64`. */
export function formatCidr(cidr: Ipv4Cidr | Ipv6Cidr): string {
    const network = cidr.version === 4 ? formatIpv4(cidr.network) : formatIpv6(cidr.network);
    return `${network}/${cidr.prefixLength}`;
}

/** Whether the address, an unsigned 32-bit number, is in the block. */
export function ipv4CidrContains(cidr: Ipv4Cidr, address: number): boolean {
    return (address & mask(cidr.prefixLength)) >>> 0 === cidr.network;
}

/** Whether the address in the 16 bytes at `at` is in the block; allocates nothing. */
export function ipv6CidrContains(cidr: Ipv6Cidr, bytes: Uint8Array, at = 0): boolean {
    if (bytes.length - at < IPV6_ADDRESS_SIZE) return false;
    for (let byte = 0; byte * 8 < cidr.prefixLength; byte += 1) {
        const difference = readU8(bytes, at + byte) ^ readU8(cidr.network, byte);
        if ((difference & byteMask(cidr.prefixLength, byte)) !== 0) return false;
    }
    return true;
}

export interface HostRange {
    readonly first: number;
    readonly last: number;
    /** How many addresses there are from `first` to `last`, both included. */
    readonly count: number;
}

/**
 * The addresses that hosts may have: all but the network's and the broadcast address, and all of a /31 (RFC 3021) and of a
 * /32.
 */
export function ipv4Hosts(cidr: Ipv4Cidr): HostRange {
    const size = 2 ** (32 - cidr.prefixLength);
    const reserved = size > 2 ? 1 : 0;
    const first = cidr.network + reserved;
    const last = cidr.network + size - 1 - reserved;
    return { first, last, count: last - first + 1 };
}

/** A shift by 32 would be one by 0. */
const mask = (prefixLength: number): number => (prefixLength === 0 ? 0 : -1 << (32 - prefixLength));

/** The bits of the address's byte `at` that belong to the prefix. */
const byteMask = (prefixLength: number, at: number): number =>
    (0xff00 >> Math.min(Math.max(prefixLength - at * 8, 0), 8)) & 0xff;
