// ICMP destination unreachable, fragmentation needed: RFC 792, with the next-hop MTU of RFC 1191 §4.
//   type:8 = 3 | code:8 = 4 | checksum:16 | unused:16 | next-hop MTU:16 | the packet that did not fit, from its IP header on
import { readU8, writeU16 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { internetChecksum } from "./checksum.ts";
import {
    ICMP_ERROR_MAX_SIZE,
    ICMP_HEADER_SIZE,
    IPV4_HEADER_SIZE,
    IPV4_MAX_SIZE,
    IPV4_MIN_MTU,
    PROTOCOL_ICMP,
} from "./constants.ts";
import {
    ipv4Destination,
    ipv4DontFragment,
    ipv4FragmentOffset,
    ipv4HeaderSize,
    ipv4Protocol,
    ipv4Size,
    ipv4Source,
    writeIpv4Header,
} from "./ipv4-header.ts";

const TYPE_UNREACHABLE = 3;
const CODE_FRAGMENTATION_NEEDED = 4;
const NEXT_HOP_MTU_AT = 6;
/** RFC 1812 §4.3.2.5: errors are sent with precedence 6, internetwork control. */
const PRECEDENCE_INTERNETWORK_CONTROL = 0xc0;
/** Destination unreachable, source quench, redirect, time exceeded, parameter problem. */
const ERROR_TYPES: ReadonlySet<number> = new Set([TYPE_UNREACHABLE, 4, 5, 11, 12]);

/**
 * The packet that tells the sender of `packet` to send at most `mtu` bytes, or `undefined` where no such answer may be
 * given: RFC 1122 §3.2.2 (nothing in answer to an ICMP error, a later fragment, a broadcast or multicast, or a source that
 * is not one host), a packet that may be fragmented, or one that is malformed.  `from` is our address on the link.  The
 * caller limits how many it sends (RFC 1812 §4.3.2.8).
 */
export function fragmentationNeeded(packet: Uint8Array, from: number, mtu: number): Uint8Array | undefined {
    if (mtu < IPV4_MIN_MTU || mtu > IPV4_MAX_SIZE) throw new InvariantError(`next-hop MTU of ${mtu}`);
    const size = ipv4Size(packet, 0, packet.length);
    if (size === 0 || !mayBeAnswered(packet, size)) return undefined;
    const quotedSize = Math.min(size, ICMP_ERROR_MAX_SIZE - IPV4_HEADER_SIZE - ICMP_HEADER_SIZE);
    const icmpSize = ICMP_HEADER_SIZE + quotedSize;
    const out = new Uint8Array(IPV4_HEADER_SIZE + icmpSize);
    writeIpv4Header(out, 0, out.length, {
        protocol: PROTOCOL_ICMP,
        source: from,
        destination: ipv4Source(packet, 0),
        typeOfService: PRECEDENCE_INTERNETWORK_CONTROL,
    });
    out[IPV4_HEADER_SIZE] = TYPE_UNREACHABLE;
    out[IPV4_HEADER_SIZE + 1] = CODE_FRAGMENTATION_NEEDED;
    writeU16(out, IPV4_HEADER_SIZE + NEXT_HOP_MTU_AT, mtu);
    out.set(packet.subarray(0, quotedSize), IPV4_HEADER_SIZE + ICMP_HEADER_SIZE);
    writeU16(out, IPV4_HEADER_SIZE + 2, internetChecksum(out, IPV4_HEADER_SIZE, icmpSize));
    return out;
}

function mayBeAnswered(packet: Uint8Array, size: number): boolean {
    if (!ipv4DontFragment(packet, 0) || ipv4FragmentOffset(packet, 0) !== 0) return false;
    if (!isOneHost(ipv4Source(packet, 0)) || !isOneHost(ipv4Destination(packet, 0))) return false;
    if (ipv4Protocol(packet, 0) !== PROTOCOL_ICMP) return true;
    const headerSize = ipv4HeaderSize(packet, 0);
    return size > headerSize && !ERROR_TYPES.has(readU8(packet, headerSize));
}

/** Not "this network", loopback, multicast, reserved or broadcast (RFC 1122 §3.2.1.3). */
function isOneHost(address: number): boolean {
    const firstByte = address >>> 24;
    return firstByte !== 0 && firstByte !== 127 && firstByte < 224;
}
