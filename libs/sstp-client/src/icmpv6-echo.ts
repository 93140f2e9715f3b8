// ICMPv6 echo, RFC 4443 §4.1 and §4.2.
//   type:8 = 128 or 129 | code:8 = 0 | checksum:16 | identifier:16 | sequence number:16 | data
import { readU16, readU8, writeU16 } from "@postern/bytes";
import { icmpv6Message, icmpv6Packet } from "@postern/ip";
import type { EchoRequest } from "./icmp-echo.ts";

const HEADER_SIZE = 8;
const IDENTIFIER_AT = 4;
const SEQUENCE_AT = 6;
const ECHO_REQUEST = 128;
const ECHO_REPLY = 129;

/** Addresses are 16 octets each. */
export type Ipv6EchoRequest = Omit<EchoRequest, "source" | "destination"> & {
    readonly source: Uint8Array;
    readonly destination: Uint8Array;
};

/** A whole IPv6 packet with an echo request; its data counts up, as that of `ping`. */
export function encodeIpv6EchoRequest(request: Ipv6EchoRequest): Uint8Array<ArrayBuffer> {
    const { source, destination, identifier, sequence, dataSize } = request;
    const message = new Uint8Array(HEADER_SIZE + dataSize);
    message[0] = ECHO_REQUEST;
    writeU16(message, IDENTIFIER_AT, identifier);
    writeU16(message, SEQUENCE_AT, sequence);
    for (let at = 0; at < dataSize; at += 1) message[HEADER_SIZE + at] = at;
    return icmpv6Packet({ source, destination }, message);
}

/** Identifier and sequence number of an echo reply with a correct checksum; `undefined` for any other packet. */
export function decodeIpv6EchoReply(
    packet: Uint8Array,
): { readonly identifier: number; readonly sequence: number } | undefined {
    const message = icmpv6Message(packet, HEADER_SIZE);
    if (message === undefined || readU8(message, 0) !== ECHO_REPLY) return undefined;
    return { identifier: readU16(message, IDENTIFIER_AT), sequence: readU16(message, SEQUENCE_AT) };
}
