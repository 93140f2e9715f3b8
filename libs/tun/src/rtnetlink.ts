// What postern asks of the kernel's routing tables, one synchronous netlink request each; no process is forked.
import { encodeIpv4, formatCidr, type Ipv4Cidr, type Ipv6Cidr } from "@postern/ip";
import {
    AF_INET,
    AF_INET6,
    AF_UNSPEC,
    IFA_ADDRESS,
    IFA_F_NODAD,
    IFA_LOCAL,
    IFF_UP,
    IFLA_AF_SPEC,
    IFLA_INET6_ADDR_GEN_MODE,
    IFLA_MTU,
    IFLA_TXQLEN,
    IN6_ADDR_GEN_MODE_NONE,
    NLM_F_CREATE,
    NLM_F_REPLACE,
    RTAX_MTU,
    RTA_DST,
    RTA_METRICS,
    RTA_OIF,
    RTM_DELADDR,
    RTM_DELROUTE,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    RTN_UNICAST,
    RT_SCOPE_LINK,
    RT_SCOPE_UNIVERSE,
    RT_TABLE_MAIN,
} from "./constants.ts";
import { kernelError } from "./kernel-error.ts";
import { addressHeader, attribute, attributeU32, encodeRequest, linkHeader, routeHeader } from "./rtnetlink-message.ts";

type Cidr = Ipv4Cidr | Ipv6Cidr;

/** Sends one request to the kernel and returns its answer: 0, or a negative errno. */
export type Transact = (message: Uint8Array) => number;

export interface Link {
    readonly index: number;
    readonly name: string;
}

const ESRCH = -3;
const EAFNOSUPPORT = -97;

const familyOf = (cidr: Cidr): number => (cidr.version === 4 ? AF_INET : AF_INET6);
const bytesOf = (cidr: Cidr): Uint8Array => (cidr.version === 4 ? encodeIpv4(cidr.network) : cidr.network);

/** The configuration of one network interface.  Every method throws a `DependencyError` that names what was refused. */
export class Rtnetlink {
    readonly #transact: Transact;
    readonly #link: Link;

    constructor(transact: Transact, link: Link) {
        this.#transact = transact;
        this.#link = link;
    }

    /** Keeps the kernel from giving the interface a link-local address of its own and soliciting routers on it. */
    disableAutomaticIpv6(): void {
        const mode = attribute(IFLA_INET6_ADDR_GEN_MODE, Uint8Array.of(IN6_ADDR_GEN_MODE_NONE));
        const attributes = [attribute(IFLA_AF_SPEC, attribute(AF_INET6, mode))];
        const errno = this.#transact(
            encodeRequest(RTM_NEWLINK, 0, linkHeader(AF_UNSPEC, this.#link.index, 0, 0), attributes),
        );
        // A kernel without IPv6 does what is wanted anyway.
        if (errno !== EAFNOSUPPORT) this.#check(errno, "switching off automatic IPv6 addresses");
    }

    /** Sets the MTU in bytes and the queue's length in packets, and the interface up. */
    bringUp(mtu: number, queueLength: number): void {
        const attributes = [attributeU32(IFLA_MTU, mtu), attributeU32(IFLA_TXQLEN, queueLength)];
        const header = linkHeader(AF_UNSPEC, this.#link.index, IFF_UP, IFF_UP);
        const errno = this.#transact(encodeRequest(RTM_NEWLINK, 0, header, attributes));
        this.#check(errno, `setting up with MTU ${mtu} and a queue of ${queueLength} packets`);
    }

    /** Gives the interface an address; the one it has already stays. */
    addAddress(address: Cidr): void {
        const errno = this.#transact(this.#addressRequest(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, address));
        this.#check(errno, `adding address ${formatCidr(address)}`);
    }

    deleteAddress(address: Cidr): void {
        const errno = this.#transact(this.#addressRequest(RTM_DELADDR, 0, address));
        this.#check(errno, `deleting address ${formatCidr(address)}`);
    }

    /**
     * Routes `destination` through the interface, in the place of a route to it through another interface: so an address
     * moves between workers of one host.  With `mtu` the kernel fragments, or refuses, what is larger (RFC 1191).
     */
    setRoute(destination: Cidr, protocol: number, mtu?: number): void {
        const errno = this.#transact(
            this.#routeRequest(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, destination, protocol, mtu),
        );
        this.#check(errno, `adding route ${formatCidr(destination)}`);
    }

    /** Deletes the route through this interface; where it has moved to another one, that one stays. */
    deleteRoute(destination: Cidr, protocol: number): void {
        const errno = this.#transact(this.#routeRequest(RTM_DELROUTE, 0, destination, protocol));
        if (errno !== ESRCH) this.#check(errno, `deleting route ${formatCidr(destination)}`);
    }

    #addressRequest(type: number, flags: number, address: Cidr): Uint8Array {
        // Nobody else is on a TUN device to have the same address: duplicate detection would only delay it.
        const addressFlags = address.version === 6 ? IFA_F_NODAD : 0;
        const header = addressHeader(familyOf(address), address.prefixLength, addressFlags, this.#link.index);
        const bytes = bytesOf(address);
        return encodeRequest(type, flags, header, [attribute(IFA_LOCAL, bytes), attribute(IFA_ADDRESS, bytes)]);
    }

    #routeRequest(type: number, flags: number, destination: Cidr, protocol: number, mtu?: number): Uint8Array {
        const header = routeHeader({
            family: familyOf(destination),
            prefixLength: destination.prefixLength,
            table: RT_TABLE_MAIN,
            protocol,
            scope: destination.version === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
            type: RTN_UNICAST,
        });
        const attributes = [attribute(RTA_DST, bytesOf(destination)), attributeU32(RTA_OIF, this.#link.index)];
        if (mtu !== undefined) attributes.push(attribute(RTA_METRICS, attributeU32(RTAX_MTU, mtu)));
        return encodeRequest(type, flags, header, attributes);
    }

    #check(errno: number, operation: string): void {
        if (errno !== 0) throw kernelError("TUN_NETLINK_FAILED", `${this.#link.name}: ${operation}`, errno);
    }
}
