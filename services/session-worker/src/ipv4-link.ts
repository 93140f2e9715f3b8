// What the worker says to one client over IPv4 itself: name servers, suffix and routes, to a client that asks by DHCPINFORM (RFC 2131 §3.4).
import { dhcpInformReply, type DhcpFacts, readDhcpInform } from "@postern/ip";
import { RateLimit } from "@postern/telemetry";
import type { DropReason } from "@postern/tun";

/** Answers to one client, a second and at once: clients repeat what they ask after seconds. */
const REPLIES_PER_SECOND = 1;
const REPLIES_BURST = 8;

export interface Ipv4LinkPorts {
    readonly facts: DhcpFacts;
    /** The largest packet that client and tunnel take. */
    readonly mtu: number;
    /** Monotonic milliseconds. */
    readonly now: () => number;
    /** One packet to the client; dropped where there is no room for it. */
    readonly send: (packet: Uint8Array) => void;
}

export class Ipv4Link {
    readonly #ports: Ipv4LinkPorts;
    readonly #replies: RateLimit;

    constructor(ports: Ipv4LinkPorts) {
        this.#ports = ports;
        this.#replies = new RateLimit(REPLIES_PER_SECOND, REPLIES_BURST, ports.now);
    }

    /** A packet of the client's address that is not for the network; returns why it is of no use, if it is not. */
    receive(packet: Uint8Array): DropReason | undefined {
        const { facts, mtu, send } = this.#ports;
        const inform = readDhcpInform(packet, facts.server);
        if (inform === undefined || !this.#replies.take()) return "not-routed";
        const reply = dhcpInformReply(inform, facts, mtu);
        if (reply === undefined) return "too-big";
        send(reply);
        return undefined;
    }
}
