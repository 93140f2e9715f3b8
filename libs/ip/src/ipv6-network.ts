// The two halves of an IPv6 address, RFC 4291 §2.5.4: 64 bits that say which network, 64 that say which interface on it.
import { copyBytes, readU32, writeU32 } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import type { Ipv6Cidr } from "./cidr.ts";
import { INTERFACE_ID_SIZE, IPV6_ADDRESS_SIZE } from "./constants.ts";

const NETWORK_SIZE = IPV6_ADDRESS_SIZE - INTERFACE_ID_SIZE;
/** Prefix length of a network that hosts form their own addresses in (RFC 4862 §5.5.3, RFC 7421). */
const NETWORK_PREFIX_LENGTH = NETWORK_SIZE * 8;
/** Subnets are counted in the second 32 bits. */
const SHORTEST_PREFIX = 32;
const SUBNETS_AT = 4;

/** The 16 bytes of the address that an interface has in a network: `network` begins with its prefix, `interfaceId` has 8 bytes. */
export function ipv6Address(network: Uint8Array, interfaceId: Uint8Array): Uint8Array<ArrayBuffer> {
    if (network.length < NETWORK_SIZE || interfaceId.length !== INTERFACE_ID_SIZE) {
        throw new InvariantError(
            `network of ${network.length} and interface identifier of ${interfaceId.length} bytes`,
        );
    }
    const out = new Uint8Array(IPV6_ADDRESS_SIZE);
    out.set(network.subarray(0, NETWORK_SIZE));
    out.set(interfaceId, NETWORK_SIZE);
    return out;
}

const LINK_LOCAL_NETWORK = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0);

/** fe80::/64 and the interface identifier, RFC 4291 §2.5.6: what an interface has on its own link. */
export function linkLocalAddress(interfaceId: Uint8Array): Uint8Array<ArrayBuffer> {
    return ipv6Address(LINK_LOCAL_NETWORK, interfaceId);
}

/** How many /64 networks the block has; 0 where it is smaller than one. */
export function ipv6Networks({ prefixLength }: Pick<Ipv6Cidr, "prefixLength">): number {
    return prefixLength > NETWORK_PREFIX_LENGTH ? 0 : 2 ** (NETWORK_PREFIX_LENGTH - prefixLength);
}

/** The /64 with number `index`, counted from 0, in a block whose prefix has 32 to 64 bits. */
export function ipv6Network(block: Ipv6Cidr, index: number): Ipv6Cidr {
    if (block.prefixLength < SHORTEST_PREFIX || !Number.isInteger(index) || index < 0 || index >= ipv6Networks(block)) {
        throw new InvariantError(`network ${index} of a /${block.prefixLength}`);
    }
    const network = copyBytes(block.network);
    writeU32(network, SUBNETS_AT, readU32(network, SUBNETS_AT) + index);
    return { version: 6, network, prefixLength: NETWORK_PREFIX_LENGTH };
}
