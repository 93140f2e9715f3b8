// An IP packet in a PPP frame in an SSTP data packet, [MS-SSTP] 2.2.3, made in one piece.
//   SSTP header:32 | [ff 03] | protocol:8 or :16 | IP packet
import { ipVersion } from "@postern/ip";
import { FRAME_HEADER_SIZE, PROTOCOL, writeFrameHeader } from "@postern/ppp";
import { encodeHeader, HEADER_SIZE } from "@postern/sstp";

/** `compressed`: without address, control and the first octet of the protocol, as agreed in LCP. */
export function encodeIpDataPacket(packet: Uint8Array, compressed: boolean): Uint8Array {
    const protocol = ipVersion(packet, 0) === 6 ? PROTOCOL.ipv6 : PROTOCOL.ipv4;
    const frameHeaderSize = compressed ? 1 : FRAME_HEADER_SIZE;
    const out = Buffer.allocUnsafe(HEADER_SIZE + frameHeaderSize + packet.length);
    encodeHeader(out, 0, "data", frameHeaderSize + packet.length);
    if (compressed) out[HEADER_SIZE] = protocol;
    else writeFrameHeader(out, HEADER_SIZE, protocol);
    out.set(packet, HEADER_SIZE + frameHeaderSize);
    return out;
}
