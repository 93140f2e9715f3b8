// One PPP link, server side.  RFC 1661 §3.2.
import { InvariantError } from "@postern/errors";
import type { AuthenticationMethod, AuthenticationResult } from "./authentication-attempt.ts";
import type { Identification } from "./identification.ts";
import type { ServerLinkPorts } from "./link-ports.ts";
import type { NetworkConfiguration } from "./network-configuration.ts";
import type { LinkSnapshot } from "./snapshot.ts";

export type LinkPhase = "dead" | "establish" | "authenticate" | "network" | "terminate";

export interface EchoOptions {
    readonly intervalMs: number;
    /** Echo-Requests without an answer that end the link. */
    readonly failures: number;
}

export interface ServerLinkOptions {
    /** What policy allows, in the order in which it is offered.  Not empty. */
    readonly authentication: readonly AuthenticationMethod[];
    /** Name in MS-CHAPv2 challenges. */
    readonly serverName: string;
    /** Maximum receive unit that we announce; `OUR_MRU` if absent. */
    readonly mru?: number;
    /** LCP echoes; none if absent (SSTP has its own). */
    readonly echo?: EchoOptions;
    /** How long `authenticated` may take, in milliseconds; `ATTEMPT_TIMEOUT_MS` if absent. */
    readonly attemptTimeoutMs?: number;
}

export type DiscardReason = "malformed" | "phase" | "unexpected";

export class PppLink {
    constructor(_options: ServerLinkOptions, _ports: ServerLinkPorts) {
        throw new InvariantError("not assembled");
    }
    /** An open link that goes on from `snapshot`; no port is called until a frame or a timer comes. */
    static restore(_options: ServerLinkOptions, _ports: ServerLinkPorts, _snapshot: LinkSnapshot): PppLink {
        throw new InvariantError("not assembled");
    }
    declare readonly phase: LinkPhase;
    /** IP packets of this family may pass. */
    declare readonly ipv4Open: boolean;
    declare readonly ipv6Open: boolean;
    /** Never send a larger payload than this to the client; 1500 until it says otherwise. */
    declare readonly peerMru: number;
    declare readonly identification: Identification;
    /** The name that the client claimed, once it has. */
    declare readonly user: string | undefined;
    declare readonly method: AuthenticationMethod | undefined;
    /** The client's interface identifier while IPv6 is open, 16 hexadecimal digits. */
    declare readonly clientInterfaceId: string | undefined;
    /** Frames that were silently discarded. */
    declare readonly discarded: Readonly<Record<DiscardReason, number>>;
    /** Sends the first Configure-Request. */
    declare start: () => void;
    /** Control frames only; never throws because of what the peer sent.  `payload` is not kept. */
    declare onFrame: (protocol: number, payload: Uint8Array) => void;
    declare onTimer: (name: string) => void;
    /** The answer to `ports.authenticate`. */
    declare authenticated: (result: AuthenticationResult) => void;
    /** Starts the network control protocols; packets that came early are processed now. */
    declare configureNetwork: (configuration: NetworkConfiguration) => void;
    /** LCP Terminate-Request, then `closed` with "terminated-locally" and `detail`. */
    declare terminate: (detail: string) => void;
    /** The connection is gone: stops every timer; no port is called any more. */
    declare down: () => void;
    /** `undefined` before the network is configured and after the link has ended. */
    declare snapshot: () => LinkSnapshot | undefined;
}
