// Stateless DHCPv6, RFC 8415 §6.1: a host that has its address from a router advertisement asks for the rest, here for name
// servers (RFC 3646 §3).  Nobody is given an address: questions for one are not answered.
import { concatBytes, copyBytes, equalBytes, readU16, writeU16 } from "@postern/bytes";
import { INTERFACE_ID_SIZE, IPV6_ADDRESS_SIZE, PORT_DHCPV6_CLIENT, PORT_DHCPV6_SERVER } from "./constants.ts";
import { decodeDhcpv6, encodeDhcpv6, type Dhcpv6Message, type Dhcpv6Option } from "./dhcpv6-message.ts";
import { parseIpv6 } from "./ipv6-address.ts";
import { ipv6Destination, ipv6Source } from "./ipv6-header.ts";
import { udpIpv6Data, udpIpv6Packet } from "./udp-ipv6-packet.ts";

const TYPE_REPLY = 7;
const TYPE_INFORMATION_REQUEST = 11;

const OPTION = {
    clientId: 1,
    serverId: 2,
    addresses: 3,
    temporaryAddresses: 4,
    wanted: 6,
    nameServers: 23,
    delegatedPrefixes: 25,
} as const;
/** RFC 8415 §16.12: whoever asks for addresses asks for more than information. */
const ASSOCIATIONS: readonly number[] = [OPTION.addresses, OPTION.temporaryAddresses, OPTION.delegatedPrefixes];

/** RFC 8415 §11.4: DUID-LL, of a link-layer address; an EUI-64 (IANA hardware type 27) is what a PPP link has. */
const DUID_LL_EUI64 = Uint8Array.of(0, 3, 0, 27);

/** RFC 8415 §7.1. */
const ALL_SERVERS: Uint8Array = parseIpv6("ff02::1:2");

export interface InformationRequest {
    /** The client's address, 16 bytes; aliases the packet. */
    readonly source: Uint8Array;
    readonly transaction: number;
    /** The client's DUID, where it says one; aliases the packet. */
    readonly clientId: Uint8Array | undefined;
    /** Codes of the options that it wants; all that there are, where it does not say. */
    readonly wanted: ReadonlySet<number> | undefined;
}

/**
 * An Information-request to all servers, or to the one with this interface identifier, or `undefined` for any other packet: RFC 8415 §16 and
 * §16.12 discard in silence what is sent to one address, is for another server, or asks for addresses.
 */
export function readInformationRequest(packet: Uint8Array, interfaceId: Uint8Array): InformationRequest | undefined {
    const data = udpIpv6Data(packet, PORT_DHCPV6_SERVER);
    if (data === undefined || !equalBytes(ipv6Destination(packet, 0), ALL_SERVERS)) return undefined;
    const message = decodeDhcpv6(data);
    if (message?.type !== TYPE_INFORMATION_REQUEST) return undefined;
    if (message.options.some(({ code }) => ASSOCIATIONS.includes(code))) return undefined;
    const server = valueOf(message, OPTION.serverId);
    if (server !== undefined && !equalBytes(server, duid(interfaceId))) return undefined;
    return {
        source: ipv6Source(packet, 0),
        transaction: message.transaction,
        clientId: valueOf(message, OPTION.clientId),
        wanted: wantedOf(message),
    };
}

/**
 * The packet with the Reply, RFC 8415 §18.3.6.  `source`: our link-local address; `interfaceId`: ours, 8 bytes; `nameServers`: 16 bytes each.
 */
export function informationReply(
    request: InformationRequest,
    source: Uint8Array,
    interfaceId: Uint8Array,
    nameServers: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
    const { transaction, clientId, wanted } = request;
    const isWanted = nameServers.length > 0 && (wanted === undefined || wanted.has(OPTION.nameServers));
    const options: Dhcpv6Option[] = [
        ...(clientId === undefined ? [] : [{ code: OPTION.clientId, value: clientId }]),
        { code: OPTION.serverId, value: duid(interfaceId) },
        ...(isWanted ? [{ code: OPTION.nameServers, value: concatBytes(...nameServers) }] : []),
    ];
    const ends = { source, sourcePort: PORT_DHCPV6_SERVER, destinationPort: PORT_DHCPV6_CLIENT };
    return udpIpv6Packet(
        { ...ends, destination: request.source },
        encodeDhcpv6({ type: TYPE_REPLY, transaction, options }),
    );
}

/** The question, as a host sends it that wants name servers; `transaction`: 24 bits. */
export function informationRequest(
    source: Uint8Array,
    transaction: number,
    clientId: Uint8Array,
): Uint8Array<ArrayBuffer> {
    const wanted = new Uint8Array(2);
    writeU16(wanted, 0, OPTION.nameServers);
    const options = [
        { code: OPTION.clientId, value: clientId },
        { code: OPTION.wanted, value: wanted },
    ];
    const ends = { sourcePort: PORT_DHCPV6_CLIENT, destinationPort: PORT_DHCPV6_SERVER };
    return udpIpv6Packet(
        { ...ends, source, destination: ALL_SERVERS },
        encodeDhcpv6({ type: TYPE_INFORMATION_REQUEST, transaction, options }),
    );
}

/** The name servers of a Reply to `transaction`, 16 bytes each; `undefined` for any other packet. */
export function readInformationReply(packet: Uint8Array, transaction: number): readonly Uint8Array[] | undefined {
    const data = udpIpv6Data(packet, PORT_DHCPV6_CLIENT);
    const message = data === undefined ? undefined : decodeDhcpv6(data);
    if (message?.type !== TYPE_REPLY || message.transaction !== transaction) return undefined;
    const servers = valueOf(message, OPTION.nameServers) ?? new Uint8Array(0);
    return Array.from({ length: Math.floor(servers.length / IPV6_ADDRESS_SIZE) }, (_, index) =>
        copyBytes(servers, index * IPV6_ADDRESS_SIZE, (index + 1) * IPV6_ADDRESS_SIZE),
    );
}

const valueOf = ({ options }: Dhcpv6Message, wanted: number): Uint8Array | undefined =>
    options.find(({ code }) => code === wanted)?.value;

/** RFC 8415 §21.7: codes of 16 bits; an odd octet at the end says nothing. */
function wantedOf(message: Dhcpv6Message): ReadonlySet<number> | undefined {
    const value = valueOf(message, OPTION.wanted);
    if (value === undefined) return undefined;
    return new Set(Array.from({ length: value.length >>> 1 }, (_, index) => readU16(value, 2 * index)));
}

const duid = (interfaceId: Uint8Array): Uint8Array =>
    concatBytes(DUID_LL_EUI64, interfaceId.subarray(0, INTERFACE_ID_SIZE));
