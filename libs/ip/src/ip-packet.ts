// What holds for a packet of either version: its size, and where its TCP, UDP or ICMP header is.
import { readU16, readU8 } from "@postern/bytes";
import {
    IPV6_HEADER_SIZE,
    MAX_EXTENSION_HEADERS,
    PROTOCOL_AUTHENTICATION,
    PROTOCOL_DESTINATION_OPTIONS,
    PROTOCOL_FRAGMENT,
    PROTOCOL_HOP_BY_HOP,
    PROTOCOL_ROUTING,
} from "./constants.ts";
import { ipv4FragmentOffset, ipv4HeaderSize, ipv4Protocol, ipv4Size } from "./ipv4-header.ts";
import { ipv6NextHeader, ipv6Size } from "./ipv6-header.ts";

/** The version that the packet at `at` claims, 0 to 15; nothing else about it is checked. */
export function ipVersion(bytes: Uint8Array, at: number): number {
    return readU8(bytes, at) >>> 4;
}

/**
 * Size in bytes that the packet at `at` gives itself, or 0 where the `available` bytes there do not begin with a whole
 * IPv4 or IPv6 packet.  Bytes after the packet are padding.
 */
export function ipPacketSize(bytes: Uint8Array, at: number, available: number): number {
    if (available === 0) return 0;
    return ipVersion(bytes, at) === 4 ? ipv4Size(bytes, at, available) : ipv6Size(bytes, at, available);
}

/** What `findUpperLayer` returns where there is no upper-layer header to be found. */
export const NO_UPPER_LAYER = -1;

/**
 * Protocol and place of the header that follows the IP headers, as one number that `upperLayerProtocol` and
 * `upperLayerOffset` take apart (so that nothing is allocated).  `size` is what `ipPacketSize` said.  `NO_UPPER_LAYER` where
 * that was 0, in every fragment but the first, and after more than eight IPv6 extension headers.  The header that was found
 * may itself be cut short.
 */
export function findUpperLayer(bytes: Uint8Array, at: number, size: number): number {
    if (size === 0) return NO_UPPER_LAYER;
    if (ipVersion(bytes, at) === 6) return skipExtensionHeaders(bytes, at, size);
    if (ipv4FragmentOffset(bytes, at) !== 0) return NO_UPPER_LAYER;
    return pack(ipv4HeaderSize(bytes, at), ipv4Protocol(bytes, at));
}

/** The protocol number of what `findUpperLayer` found. */
export function upperLayerProtocol(found: number): number {
    return found & 0xff;
}

/** Where what `findUpperLayer` found begins, in bytes after the start of the packet. */
export function upperLayerOffset(found: number): number {
    return found >>> 8;
}

const pack = (offset: number, protocol: number): number => (offset << 8) | protocol;

/** RFC 8200 §4: next header:8 | length:8, in 8 bytes not counting the first 8 | … */
function skipExtensionHeaders(bytes: Uint8Array, at: number, size: number): number {
    let protocol = ipv6NextHeader(bytes, at);
    let offset = IPV6_HEADER_SIZE;
    for (let skipped = 0; isExtensionHeader(protocol); skipped += 1) {
        if (skipped === MAX_EXTENSION_HEADERS || size - offset < 8) return NO_UPPER_LAYER;
        // RFC 8200 §4.5: next header:8 | reserved:8 | fragment offset:13 | reserved:2, M:1 | identification:32
        const isLaterFragment = protocol === PROTOCOL_FRAGMENT && readU16(bytes, at + offset + 2) >>> 3 !== 0;
        if (isLaterFragment) return NO_UPPER_LAYER;
        const extensionSize = extensionHeaderSize(protocol, readU8(bytes, at + offset + 1));
        if (size - offset < extensionSize) return NO_UPPER_LAYER;
        protocol = readU8(bytes, at + offset);
        offset += extensionSize;
    }
    return pack(offset, protocol);
}

function isExtensionHeader(protocol: number): boolean {
    return (
        protocol === PROTOCOL_HOP_BY_HOP ||
        protocol === PROTOCOL_ROUTING ||
        protocol === PROTOCOL_FRAGMENT ||
        protocol === PROTOCOL_AUTHENTICATION ||
        protocol === PROTOCOL_DESTINATION_OPTIONS
    );
}

function extensionHeaderSize(protocol: number, lengthField: number): number {
    if (protocol === PROTOCOL_FRAGMENT) return 8;
    // RFC 4302 §2.2: the Authentication Header alone counts 4-byte words, minus 2.
    return protocol === PROTOCOL_AUTHENTICATION ? (lengthField + 2) * 4 : (lengthField + 1) * 8;
}
