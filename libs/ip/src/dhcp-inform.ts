// DHCPINFORM, RFC 2131 §3.4: a host that has its address asks for the rest.  Over PPP it is the only way in which Windows learns routes
// (RFC 3442, which it reads under code 249, too: [MS-DHCPE] 2.2.8) and the suffix of names.
import { concatBytes, encodeLatin1, writeU32 } from "@postern/bytes";
import { type Ipv4Cidr } from "./cidr.ts";
import { IPV4_ADDRESS_SIZE, PORT_DHCP_CLIENT, PORT_DHCP_SERVER } from "./constants.ts";
import { decodeDhcp, DHCP_OP, type DhcpMessage, encodeDhcp } from "./dhcp-message.ts";
import { encodeIpv4 } from "./ipv4-address.ts";
import { ipv4Destination, ipv4Source } from "./ipv4-header.ts";
import { udpData, udpPacket } from "./udp-packet.ts";

const OPTION = {
    mask: 1,
    nameServers: 6,
    domain: 15,
    netbiosServers: 44,
    type: 53,
    server: 54,
    wanted: 55,
    routes: 121,
    microsoftRoutes: 249,
} as const;

const TYPE_ACK = 5;
const TYPE_INFORM = 8;
const BROADCAST = 0xffff_ffff;
/** A PPP link has no other hosts. */
const HOST_MASK = 0xffff_ffff;

export interface DhcpInform {
    /** The client's address, as an unsigned 32-bit number. */
    readonly address: number;
    readonly message: DhcpMessage;
}

/** What a client is told; addresses as unsigned 32-bit numbers. */
export interface DhcpFacts {
    /** Ours: the server, and the router of all routes. */
    readonly server: number;
    readonly nameServers: readonly number[];
    readonly netbiosServers: readonly number[];
    /** The suffix of names; `undefined`: none. */
    readonly domain: string | undefined;
    /** What lies behind the tunnel; none: everything, which needs no telling. */
    readonly routes: readonly Ipv4Cidr[];
}

/** An inform to everybody or to `server`, or `undefined` for any other packet. */
export function readDhcpInform(packet: Uint8Array, server: number): DhcpInform | undefined {
    const data = udpData(packet, PORT_DHCP_SERVER);
    if (data === undefined) return undefined;
    const destination = ipv4Destination(packet, 0);
    if (destination !== BROADCAST && destination !== server) return undefined;
    const message = decodeDhcp(data);
    const type = message?.options.get(OPTION.type);
    if (message?.op !== DHCP_OP.request || type?.length !== 1 || type[0] !== TYPE_INFORM) return undefined;
    return { address: ipv4Source(packet, 0), message };
}

/**
 * The packet with the DHCPACK, RFC 2131 §4.3.5: no lease times.  Both codes of the routes are in it where `largest` bytes have room, else the
 * one that was asked for; `undefined` where even that is too large.
 */
export function dhcpInformReply(
    { address, message }: DhcpInform,
    facts: DhcpFacts,
    largest: number,
): Uint8Array<ArrayBuffer> | undefined {
    const { microsoftRoutes, routes } = OPTION;
    const asked = message.options.get(OPTION.wanted)?.includes(microsoftRoutes) === true ? microsoftRoutes : routes;
    for (const codes of [[microsoftRoutes, routes], [asked]]) {
        const { htype, hlen, xid, ciaddr, chaddr } = message;
        const options = optionsOf(facts, codes);
        const reply = encodeDhcp({ op: DHCP_OP.reply, htype, hlen, xid, ciaddr, chaddr, options });
        const ends = { source: facts.server, sourcePort: PORT_DHCP_SERVER, destinationPort: PORT_DHCP_CLIENT };
        const packet = udpPacket({ ...ends, destination: address }, reply);
        if (packet.length <= largest) return packet;
    }
    return undefined;
}

function optionsOf(
    { server, nameServers, netbiosServers, domain, routes }: DhcpFacts,
    routeCodes: readonly number[],
): ReadonlyMap<number, Uint8Array> {
    const described = concatBytes(...routes.map((route) => describeRoute(route, server)));
    const options: readonly (readonly [code: number, value: Uint8Array])[] = [
        [OPTION.type, Uint8Array.of(TYPE_ACK)],
        [OPTION.server, addresses([server])],
        [OPTION.mask, addresses([HOST_MASK])],
        [OPTION.nameServers, addresses(nameServers)],
        [OPTION.domain, encodeLatin1(domain ?? "")],
        [OPTION.netbiosServers, addresses(netbiosServers)],
        ...routeCodes.map((code) => [code, described] as const),
    ];
    return new Map(options.filter(([, value]) => value.length > 0));
}

/** RFC 3442: prefix length:8 | as many bytes of the network as it fills | router:32. */
function describeRoute({ network, prefixLength }: Ipv4Cidr, router: number): Uint8Array {
    const significant = encodeIpv4(network).subarray(0, Math.ceil(prefixLength / 8));
    return concatBytes(Uint8Array.of(prefixLength), significant, addresses([router]));
}

function addresses(list: readonly number[]): Uint8Array {
    const bytes = new Uint8Array(list.length * IPV4_ADDRESS_SIZE);
    for (const [index, address] of list.entries()) writeU32(bytes, index * IPV4_ADDRESS_SIZE, address);
    return bytes;
}
