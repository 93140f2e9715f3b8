// ICMP echo, RFC 792, and ICMPv6 echo, RFC 4443 §4.1 and §4.2: the reply is the request with its type changed.
//   type:8 | code:8 = 0 | checksum:16 | identifier:16 | sequence:16 | data, returned as it came
import { readU16, readU8, writeU16 } from "@postern/bytes";
import { updateChecksum } from "./checksum.ts";
import { ICMP_HEADER_SIZE, IPV4_HEADER_SIZE, IPV6_HEADER_SIZE, PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from "./constants.ts";
import { findUpperLayer, ipPacketSize, ipVersion, upperLayerOffset, upperLayerProtocol } from "./ip-packet.ts";
import { ipv4Destination, ipv4IsFragment, ipv4Source, writeIpv4Header } from "./ipv4-header.ts";
import { ipv6Destination, ipv6NextHeader, ipv6Source, writeIpv6Header } from "./ipv6-header.ts";

const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;
const ECHO_REQUEST_IPV6 = 128;
const ECHO_REPLY_IPV6 = 129;

/**
 * The reply to `packet` from the address it was sent to, or `undefined` where it is not a whole, unfragmented echo
 * request.  IP options are not repeated.  The checksum is updated and not computed: a request that was damaged gets a
 * reply that the sender recognises as damaged.
 */
export function echoReply(packet: Uint8Array): Uint8Array | undefined {
    const size = ipPacketSize(packet, 0, packet.length);
    const found = findUpperLayer(packet, 0, size);
    const icmpAt = upperLayerOffset(found);
    // Where nothing was found the offset lies beyond every packet.
    if (size - icmpAt < ICMP_HEADER_SIZE) return undefined;
    const message = packet.subarray(icmpAt, size);
    return ipVersion(packet, 0) === 4
        ? replyIpv4(packet, upperLayerProtocol(found), message)
        : replyIpv6(packet, upperLayerProtocol(found), message);
}

function replyIpv4(packet: Uint8Array, protocol: number, request: Uint8Array): Uint8Array | undefined {
    if (protocol !== PROTOCOL_ICMP || readU8(request, 0) !== ECHO_REQUEST || ipv4IsFragment(packet, 0))
        return undefined;
    const out = new Uint8Array(IPV4_HEADER_SIZE + request.length);
    writeIpv4Header(out, 0, out.length, {
        protocol,
        source: ipv4Destination(packet, 0),
        destination: ipv4Source(packet, 0),
    });
    writeReply(out, IPV4_HEADER_SIZE, request, ECHO_REPLY);
    return out;
}

function replyIpv6(packet: Uint8Array, protocol: number, request: Uint8Array): Uint8Array | undefined {
    // Behind an extension header, a fragment header for one, there is nothing that a plain ping sends.
    if (protocol !== PROTOCOL_ICMPV6 || ipv6NextHeader(packet, 0) !== PROTOCOL_ICMPV6) return undefined;
    if (readU8(request, 0) !== ECHO_REQUEST_IPV6) return undefined;
    const out = new Uint8Array(IPV6_HEADER_SIZE + request.length);
    writeIpv6Header(out, 0, out.length, {
        nextHeader: protocol,
        source: ipv6Destination(packet, 0),
        destination: ipv6Source(packet, 0),
    });
    writeReply(out, IPV6_HEADER_SIZE, request, ECHO_REPLY_IPV6);
    return out;
}

/** The pseudo-header's sum does not change where source and destination change places. */
function writeReply(out: Uint8Array, at: number, request: Uint8Array, type: number): void {
    out.set(request, at);
    out[at] = type;
    const updated = updateChecksum(readU16(request, 2), readU16(request, 0), readU16(out, at));
    writeU16(out, at + 2, updated);
}
