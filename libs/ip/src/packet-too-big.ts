// ICMPv6 packet too big, RFC 4443 §3.2.
//   type:8 = 2 | code:8 = 0 | checksum:16 | MTU:32 | the packet that did not fit, from its IP header on
import { readU8, writeU32 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { ICMP_HEADER_SIZE, IPV6_ADDRESS_SIZE, IPV6_HEADER_SIZE, IPV6_MIN_MTU, PROTOCOL_ICMPV6 } from "./constants.ts";
import { icmpv6Packet } from "./icmpv6-message.ts";
import { NO_UPPER_LAYER, findUpperLayer, upperLayerOffset, upperLayerProtocol } from "./ip-packet.ts";
import { ipv6Destination, ipv6Size, ipv6Source } from "./ipv6-header.ts";

const TYPE_PACKET_TOO_BIG = 2;
const MTU_AT = 4;
const TYPE_REDIRECT = 137;
/** RFC 4443 §2.1: types below are error messages. */
const FIRST_INFORMATIONAL_TYPE = 128;

/**
 * The packet that tells the sender of `packet` to send at most `mtu` bytes, or `undefined` where no such answer may be
 * given: RFC 4443 §2.4 (e) (nothing in answer to an ICMPv6 error, a redirect, or a source that is not one host), a packet
 * whose upper layer cannot be found and so might be such an error, or one that is malformed.  Multicast, which (e.3) would
 * allow here, is never forwarded into a tunnel and gets no answer.  `from` is our 16-byte address.  The caller limits how
 * many it sends (RFC 4443 §2.4 (f)).
 */
export function packetTooBig(packet: Uint8Array, from: Uint8Array, mtu: number): Uint8Array | undefined {
    if (mtu < IPV6_MIN_MTU) throw new InvariantError(`IPv6 MTU of ${mtu}`);
    if (from.length !== IPV6_ADDRESS_SIZE) throw new InvariantError(`IPv6 address of ${from.length} bytes`);
    const size = ipv6Size(packet, 0, packet.length);
    if (size === 0 || !mayBeAnswered(packet, size)) return undefined;
    const quotedSize = Math.min(size, IPV6_MIN_MTU - IPV6_HEADER_SIZE - ICMP_HEADER_SIZE);
    const message = new Uint8Array(ICMP_HEADER_SIZE + quotedSize);
    message[0] = TYPE_PACKET_TOO_BIG;
    writeU32(message, MTU_AT, mtu);
    message.set(packet.subarray(0, quotedSize), ICMP_HEADER_SIZE);
    return icmpv6Packet({ source: from, destination: ipv6Source(packet, 0) }, message);
}

function mayBeAnswered(packet: Uint8Array, size: number): boolean {
    if (!isOneHost(ipv6Source(packet, 0)) || !isOneHost(ipv6Destination(packet, 0))) return false;
    const found = findUpperLayer(packet, 0, size);
    if (found === NO_UPPER_LAYER) return false;
    if (upperLayerProtocol(found) !== PROTOCOL_ICMPV6) return true;
    const icmpAt = upperLayerOffset(found);
    if (icmpAt >= size) return false;
    const type = readU8(packet, icmpAt);
    return type >= FIRST_INFORMATIONAL_TYPE && type !== TYPE_REDIRECT;
}

/** Not multicast, not `::`. */
function isOneHost(address: Uint8Array): boolean {
    return address[0] !== 0xff && address.some((byte) => byte !== 0);
}
