// Router advertisement, RFC 4861 §4.2, with prefixes (§4.6.2), MTU (§4.6.4) and name servers (RFC 8106 §5.1).
//   type:8 = 134 | code:8 = 0 | checksum:16 | hop limit:8 | M:1, O:1, reserved:6 | router lifetime:16 | reachable time:32
//   | retransmission timer:32 | options
//   prefix:       3 | 4 | prefix length:8 | L:1, A:1, reserved:6 | valid lifetime:32 | preferred lifetime:32 | reserved:32 | prefix:128
//   MTU:          5 | 1 | reserved:16 | MTU:32
//   name servers: 25 | 1 + 2 n | reserved:16 | lifetime:32 | n addresses:128
// Lifetimes are seconds.
import { copyBytes, readU16, readU32, readU8, writeU16, writeU32 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import { type Ipv6Cidr, ipv6Prefix } from "./cidr.ts";
import { IPV6_ADDRESS_SIZE } from "./constants.ts";
import { neighborMessage, neighborPacket } from "./icmpv6-message.ts";
import { IPV6_SOURCE_AT, isIpv6LinkLocal } from "./ipv6-header.ts";
import { createNeighborOption, type NeighborOption, readNeighborOptions } from "./neighbor-option.ts";

const TYPE_ROUTER_ADVERTISEMENT = 134;
const HEADER_SIZE = 16;
const HOP_LIMIT_AT = 4;
const ROUTER_FLAGS_AT = 5;
const FLAG_OTHER_CONFIGURATION = 0x40;
const ROUTER_LIFETIME_AT = 6;

const OPTION_PREFIX = 3;
const PREFIX_SIZE = 32;
const FLAGS_AT = 3;
const FLAG_AUTONOMOUS = 0x40;
const VALID_AT = 4;
const PREFERRED_AT = 8;
const PREFIX_AT = 16;
const LONGEST_PREFIX = 128;

const OPTION_MTU = 5;
const MTU_SIZE = 8;
const MTU_AT = 4;

const OPTION_NAME_SERVERS = 25;
const NAME_SERVERS_AT = 8;
const NAME_SERVERS_LIFETIME_AT = 4;

export interface AdvertisedPrefix {
    readonly prefix: Ipv6Cidr;
    readonly validLifetime: number;
    readonly preferredLifetime: number;
}

/** Hosts form addresses of their own in the prefixes (A), and reach all of them through the router (not L). */
export interface RouterAdvertisement {
    /** For packets that the hosts send. */
    readonly hopLimit: number;
    /** Whether stateless DHCPv6 has more to say (O). */
    readonly otherConfiguration: boolean;
    /** For how long the sender is a default router, at most 65,535. */
    readonly routerLifetime: number;
    readonly mtu: number | undefined;
    readonly prefixes: readonly AdvertisedPrefix[];
    readonly nameServers: AdvertisedNameServers | undefined;
}

export interface AdvertisedNameServers {
    /** One or more, 16 bytes each. */
    readonly addresses: readonly Uint8Array[];
    readonly lifetime: number;
}

/** The packet; `source` is the router's link-local address, `destination` a host's or that of all nodes. */
export function routerAdvertisement(
    source: Uint8Array,
    destination: Uint8Array,
    advertisement: RouterAdvertisement,
): Uint8Array<ArrayBuffer> {
    const { hopLimit, otherConfiguration, routerLifetime, mtu, prefixes, nameServers } = advertisement;
    const options = [
        ...(mtu === undefined ? [] : [mtuOption(mtu)]),
        ...prefixes.map(prefixOption),
        ...(nameServers === undefined ? [] : [nameServersOption(nameServers)]),
    ];
    const message = new Uint8Array(HEADER_SIZE + options.reduce((size, { length }) => size + length, 0));
    message[0] = TYPE_ROUTER_ADVERTISEMENT;
    message[HOP_LIMIT_AT] = hopLimit;
    message[ROUTER_FLAGS_AT] = otherConfiguration ? FLAG_OTHER_CONFIGURATION : 0;
    writeU16(message, ROUTER_LIFETIME_AT, routerLifetime);
    let at = HEADER_SIZE;
    for (const option of options) {
        message.set(option, at);
        at += option.length;
    }
    return neighborPacket(source, destination, message);
}

function prefixOption({ prefix, validLifetime, preferredLifetime }: AdvertisedPrefix): Uint8Array {
    const option = createNeighborOption(OPTION_PREFIX, PREFIX_SIZE);
    option[2] = prefix.prefixLength;
    option[FLAGS_AT] = FLAG_AUTONOMOUS;
    writeU32(option, VALID_AT, validLifetime);
    writeU32(option, PREFERRED_AT, preferredLifetime);
    option.set(prefix.network, PREFIX_AT);
    return option;
}

function mtuOption(mtu: number): Uint8Array {
    const option = createNeighborOption(OPTION_MTU, MTU_SIZE);
    writeU32(option, MTU_AT, mtu);
    return option;
}

function nameServersOption({ addresses, lifetime }: AdvertisedNameServers): Uint8Array {
    const option = createNeighborOption(OPTION_NAME_SERVERS, NAME_SERVERS_AT + addresses.length * IPV6_ADDRESS_SIZE);
    writeU32(option, NAME_SERVERS_LIFETIME_AT, lifetime);
    for (const [index, address] of addresses.entries()) {
        if (address.length !== IPV6_ADDRESS_SIZE) throw new InvariantError(`name server of ${address.length} bytes`);
        option.set(address, NAME_SERVERS_AT + index * IPV6_ADDRESS_SIZE);
    }
    return option;
}

/**
 * What a valid advertisement (RFC 4861 §6.1.2) says, or `undefined` for any other packet.  Prefixes in which hosts form no addresses
 * of their own are left out, and so are options that are not as their standards have them; of two of a kind the first counts.
 */
export function readRouterAdvertisement(packet: Uint8Array): RouterAdvertisement | undefined {
    const message = neighborMessage(packet, TYPE_ROUTER_ADVERTISEMENT, HEADER_SIZE);
    if (message === undefined || !isIpv6LinkLocal(packet, IPV6_SOURCE_AT)) return undefined;
    const options = readNeighborOptions(message, HEADER_SIZE);
    if (options === undefined) return undefined;
    const [mtu] = options.flatMap(readMtu);
    const [nameServers] = options.flatMap(readNameServers);
    return {
        hopLimit: readU8(message, HOP_LIMIT_AT),
        otherConfiguration: (readU8(message, ROUTER_FLAGS_AT) & FLAG_OTHER_CONFIGURATION) !== 0,
        routerLifetime: readU16(message, ROUTER_LIFETIME_AT),
        mtu,
        prefixes: options.flatMap(readPrefix),
        nameServers,
    };
}

function readMtu({ type, bytes }: NeighborOption): readonly number[] {
    return type === OPTION_MTU && bytes.length === MTU_SIZE ? [readU32(bytes, MTU_AT)] : [];
}

function readPrefix({ type, bytes }: NeighborOption): readonly AdvertisedPrefix[] {
    if (type !== OPTION_PREFIX || bytes.length !== PREFIX_SIZE) return [];
    const prefixLength = readU8(bytes, 2);
    if (prefixLength > LONGEST_PREFIX || (readU8(bytes, FLAGS_AT) & FLAG_AUTONOMOUS) === 0) return [];
    const network = ipv6Prefix(bytes.subarray(PREFIX_AT), prefixLength);
    const prefix = { version: 6, network, prefixLength } as const;
    return [{ prefix, validLifetime: readU32(bytes, VALID_AT), preferredLifetime: readU32(bytes, PREFERRED_AT) }];
}

function readNameServers({ type, bytes }: NeighborOption): readonly AdvertisedNameServers[] {
    const count = (bytes.length - NAME_SERVERS_AT) / IPV6_ADDRESS_SIZE;
    if (type !== OPTION_NAME_SERVERS || count < 1 || !Number.isInteger(count)) return [];
    const addresses = Array.from({ length: count }, (_, index) => {
        const at = NAME_SERVERS_AT + index * IPV6_ADDRESS_SIZE;
        return copyBytes(bytes, at, at + IPV6_ADDRESS_SIZE);
    });
    return [{ addresses, lifetime: readU32(bytes, NAME_SERVERS_LIFETIME_AT) }];
}
