// What the worker says to one client over IPv6 itself: which network it is in (router advertisements, RFC 4861 §6.2), who answers for
// names (in these, and in stateless DHCPv6 for hosts that do not read them), and that it is there (echo replies).  A PPP link has no link-layer addresses and one other end, so neighbors need no solicitation, and whoever
// looks for a duplicate of its address hears nothing, which means that there is none.
import { equalBytes, fromHex } from "@postern/bytes";
import { InvariantError } from "@postern/errors";
import {
    echoReply,
    informationReply,
    type Ipv6Cidr,
    ipv6CidrContains,
    ipv6Destination,
    ipv6Size,
    ipv6Source,
    isRouterSolicitation,
    linkLocalAddress,
    parseCidr,
    parseIpv6,
    readInformationRequest,
    routerAdvertisement,
} from "@postern/ip";
import type { DropReason } from "@postern/tun";

/** Seconds.  Every advertisement, half an hour after the one before, begins them anew; RFC 4861 §6.2.1 and RFC 8106 §5.1. */
const ROUTER_LIFETIME = 9_000;
const VALID_LIFETIME = 2_592_000;
const PREFERRED_LIFETIME = 604_800;
/** Milliseconds between two advertisements that nobody asked for: three may be lost. */
export const ADVERTISEMENT_INTERVAL = 1_800_000;

const HOP_LIMIT = 64;
const ALL_NODES: Uint8Array = parseIpv6("ff02::1");

export interface Ipv6LinkPorts {
    /** The session's /64. */
    readonly prefix: string;
    readonly dns: readonly string[];
    /** The largest packet that client and tunnel take. */
    readonly mtu: number;
    /** While IPV6CP is open: 16 hexadecimal digits. */
    readonly interfaceIds: () => { readonly server: string | undefined; readonly client: string | undefined };
    /** One packet to the client; dropped where there is no room for it. */
    readonly send: (packet: Uint8Array) => void;
}

export class Ipv6Link {
    readonly #ports: Ipv6LinkPorts;
    readonly #network: Ipv6Cidr;
    #isUp = false;

    constructor(ports: Ipv6LinkPorts) {
        const network = parseCidr(ports.prefix);
        if (network.version !== 6) throw new InvariantError(`IPv6 prefix ${ports.prefix}`);
        this.#ports = ports;
        this.#network = network;
    }

    /** Whether IPv6 packets may pass: a link that comes up is told at once. */
    set isUp(isUp: boolean) {
        const comesUp = isUp && !this.#isUp;
        this.#isUp = isUp;
        if (comesUp) this.advertise();
    }

    /** Sends a router advertisement. */
    advertise(destination: Uint8Array = ALL_NODES): void {
        const { dns, mtu, interfaceIds, send } = this.#ports;
        const { server } = interfaceIds();
        if (server === undefined) return;
        const addresses = dns.map((address) => parseIpv6(address));
        const advertisement = {
            hopLimit: HOP_LIMIT,
            otherConfiguration: addresses.length > 0,
            routerLifetime: ROUTER_LIFETIME,
            mtu,
            prefixes: [{ prefix: this.#network, validLifetime: VALID_LIFETIME, preferredLifetime: PREFERRED_LIFETIME }],
            nameServers: addresses.length === 0 ? undefined : { addresses, lifetime: ROUTER_LIFETIME },
        };
        send(routerAdvertisement(linkLocalAddress(fromHex(server)), destination, advertisement));
    }

    /** A packet that is not for the network; returns why it is of no use, if it is not. */
    receive(packet: Uint8Array): DropReason | undefined {
        if (ipv6Size(packet, 0, packet.length) === 0) return "malformed";
        const source = ipv6Source(packet, 0);
        const isUnspecified = source.every((byte) => byte === 0);
        if (!isUnspecified && !this.#isOwn(source)) return "foreign-source";
        if (isRouterSolicitation(packet)) {
            this.advertise(isUnspecified ? ALL_NODES : source);
            return undefined;
        }
        const reply = isUnspecified ? undefined : this.#replyTo(packet);
        if (reply === undefined) return "not-routed";
        this.#ports.send(reply);
        return undefined;
    }

    #replyTo(packet: Uint8Array): Uint8Array | undefined {
        const { dns, interfaceIds } = this.#ports;
        const { server } = interfaceIds();
        if (server === undefined) return undefined;
        const interfaceId = fromHex(server);
        const address = linkLocalAddress(interfaceId);
        if (equalBytes(ipv6Destination(packet, 0), address)) return echoReply(packet);
        const request = readInformationRequest(packet, interfaceId);
        if (request === undefined) return undefined;
        const nameServers = dns.map((text) => parseIpv6(text));
        return informationReply(request, address, interfaceId, nameServers);
    }

    #isOwn(source: Uint8Array): boolean {
        const { client } = this.#ports.interfaceIds();
        if (client !== undefined && equalBytes(source, linkLocalAddress(fromHex(client)))) return true;
        return ipv6CidrContains(this.#network, source);
    }
}
