// One PPP link, client side.  RFC 1661 §3.2.
import { InvariantError } from "@postern/errors";
import type { ClientProfile } from "./client-profile.ts";
import type { ClientLinkPorts } from "./link-ports.ts";
import type { DiscardReason, LinkPhase } from "./link.ts";

export interface ClientLinkOptions {
    readonly profile: ClientProfile;
    readonly user: string;
    readonly password: string;
    /** For the Identification packets of Windows. */
    readonly computer: string;
}

export interface AgreedIpv4 {
    readonly address: string;
    readonly serverAddress: string | undefined;
    readonly dns: readonly string[];
    readonly nbns: readonly string[];
}

export interface AgreedIpv6 {
    readonly interfaceId: string;
    readonly serverInterfaceId: string | undefined;
}

export class PppClientLink {
    constructor(_options: ClientLinkOptions, _ports: ClientLinkPorts) {
        throw new InvariantError("not assembled");
    }
    declare readonly phase: LinkPhase;
    /** Set while the family is open. */
    declare readonly ipv4: AgreedIpv4 | undefined;
    declare readonly ipv6: AgreedIpv6 | undefined;
    declare readonly peerMru: number;
    declare readonly discarded: Readonly<Record<DiscardReason, number>>;
    declare start: () => void;
    declare onFrame: (protocol: number, payload: Uint8Array) => void;
    declare onTimer: (name: string) => void;
    declare terminate: (detail: string) => void;
    declare down: () => void;
}
