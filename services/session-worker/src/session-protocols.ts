// The SSTP call and the PPP link of one session, tied to each other and to the session that owns them.
import { randomBytes } from "node:crypto";
import type { SessionAddresses } from "@postern/contracts";
import { type AuthenticationAttempt, type Closure, PppLink, type ServerLinkPorts } from "@postern/ppp";
import { type CallEnd, encodeDataPacket, ServerCall, type ServerCallPorts } from "@postern/sstp";
import { digests } from "./digests.ts";
import type { HandOver, SessionPorts, SessionSettings, SessionTransport } from "./session-ports.ts";
import { protocolSnapshots } from "./session-snapshot.ts";
import type { SessionTimers } from "./session-timers.ts";

/** What the protocols ask of their session, and the facts they report to it. */
export interface ProtocolOwner {
    readonly timers: SessionTimers;
    sendControl(packet: Uint8Array): void;
    /** Runs `work`; whatever it throws ends this session and nothing else. */
    guard(work: () => void): void;
    /** A step of the set-up was reached. */
    mark(step: string): void;
    onCredentials(attempt: AuthenticationAttempt): void;
    /** The data gate or a network protocol opened. */
    onOpened(): void;
    /** A network protocol is being negotiated again, or ended. */
    onNetworkLost(): void;
    onLinkClosed(closure: Closure): void;
    onCallClosed(end: CallEnd): void;
}

type ProtocolPorts = Pick<SessionPorts, "settings" | "now" | "random">;

/** Interface identifiers, RFC 5072 §4.1: ours on every link, and one for a client that has none. */
const IPV6 = { serverInterfaceId: "0000000000000001", clientInterfaceId: "0000000000000002" };

export class SessionProtocols {
    readonly call: ServerCall;
    readonly link: PppLink;
    /** Whether there is a network that the client's IPv6 packets can be of. */
    hasIpv6Network = false;

    private constructor(call: ServerCall, link: PppLink) {
        this.call = call;
        this.link = link;
    }

    /** Both from the beginning: the peer has been told HTTP 200. */
    static negotiate(owner: ProtocolOwner, ports: ProtocolPorts, { certificates }: SessionTransport): SessionProtocols {
        const { settings } = ports;
        const { hashProtocols } = settings;
        const nonce = randomBytes(32);
        const options = { ...timingOf(ports), digests, nonce, certificates, hashProtocols };
        const protocols: SessionProtocols = new SessionProtocols(
            ServerCall.negotiate(
                options,
                callPorts(owner, ports, () => protocols),
            ),
            new PppLink(
                linkOptionsOf(settings),
                linkPorts(owner, () => protocols),
            ),
        );
        return protocols;
    }

    /** Both from where another worker's session stopped. */
    static restore(owner: ProtocolOwner, ports: ProtocolPorts, moved: HandOver): SessionProtocols {
        const snapshots = protocolSnapshots(moved.snapshot);
        const protocols: SessionProtocols = new SessionProtocols(
            ServerCall.restore(
                snapshots.call,
                timingOf(ports),
                callPorts(owner, ports, () => protocols),
            ),
            PppLink.restore(
                linkOptionsOf(ports.settings),
                linkPorts(owner, () => protocols),
                snapshots.link,
            ),
        );
        return protocols;
    }

    /** Starts IPCP, and IPV6CP for a client that asks for it: without an IPv6 network too, or some end the session. */
    configureNetwork({ address: clientAddress, dns, nbns, gateway: serverAddress }: SessionAddresses): void {
        this.link.configureNetwork({ ipv4: { serverAddress, clientAddress, dns, nbns }, ipv6: IPV6 });
    }

    /** Inner IPv4 packets may pass: the binding is verified and IPCP is open. */
    get ipv4Open(): boolean {
        return this.call.passesData && this.link.ipv4Open;
    }

    /** Inner IPv6 packets may pass. */
    get ipv6Open(): boolean {
        return this.hasIpv6Network && this.call.passesData && this.link.ipv6Open;
    }

    /** The client can send and receive IP packets of one family at least. */
    get isOpen(): boolean {
        return this.call.passesData && (this.link.ipv4Open || this.link.ipv6Open);
    }

    get peerMru(): number {
        return this.link.peerMru;
    }
}

/** Echoes go out up to a tenth sooner, so that those of sessions which began together do not go on together. */
const timingOf = ({ settings, random }: ProtocolPorts) => ({
    negotiationTimeout: settings.negotiationTimeout,
    helloInterval: settings.hello * (1 - random() / 10),
});

const linkOptionsOf = ({ methods, serverName, authTimeout }: SessionSettings) => ({
    authentication: methods,
    serverName,
    attemptTimeoutMs: authTimeout,
});

// Both are asked for late: a call starts its first timer before the two exist together.
function callPorts(owner: ProtocolOwner, { now }: ProtocolPorts, protocols: () => SessionProtocols): ServerCallPorts {
    return {
        now,
        send: (packet) => owner.sendControl(packet),
        startTimer: (name, milliseconds) =>
            owner.timers.start(`sstp-${name}`, milliseconds, () => owner.guard(() => protocols().call.onTimer(name))),
        stopTimer: (name) => owner.timers.stop(`sstp-${name}`),
        lowerLinkUp: () => {
            owner.mark("sstp");
            protocols().link.start();
        },
        openDataGate: () => {
            owner.mark("bound");
            owner.onOpened();
        },
        lowerLinkDown: () => protocols().link.down(),
        close: (end) => owner.onCallClosed(end),
    };
}

function linkPorts(owner: ProtocolOwner, protocols: () => SessionProtocols): ServerLinkPorts {
    return {
        send: (frame) => owner.sendControl(encodeDataPacket(frame)),
        startTimer: (name, milliseconds) =>
            owner.timers.start(`ppp-${name}`, milliseconds, () => owner.guard(() => protocols().link.onTimer(name))),
        stopTimer: (name) => owner.timers.stop(`ppp-${name}`),
        random: (size) => randomBytes(size),
        authenticate: (attempt) => {
            owner.mark("lcp");
            owner.onCredentials(attempt);
        },
        opened: (family) => {
            owner.mark(family);
            owner.onOpened();
        },
        lost: () => owner.onNetworkLost(),
        closed: (closure) => owner.onLinkClosed(closure),
    };
}
