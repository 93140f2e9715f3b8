// One PPP link (RFC 1661 §3.2), client side, with the habits of a client that is in the field: for talking to our own server in tests,
// probes and load generators as Windows, pppd, Open SSTP or RouterOS would.
import { InvariantError } from "@postern/errors";
import { interfaceIdToText } from "./address.ts";
import type { AuthenticationMethod } from "./authentication-attempt.ts";
import { AuthenticationAcceptance, protocolOfMethod } from "./authentication-option.ts";
import { ChapClient } from "./chap-client.ts";
import type { ClientAuthentication } from "./client-authentication.ts";
import type { ClientProfile } from "./client-profile.ts";
import { AUTHENTICATION_PROTOCOLS, CODE, LCP_OPTION, PROTOCOL } from "./constants.ts";
import { decodeControlPacket } from "./control-packet.ts";
import { EapClient, type EapPeer } from "./eap-client.ts";
import { encodeCompressedFrame, encodeFrame } from "./frame.ts";
import { identificationMessages } from "./identification.ts";
import { Identifiers } from "./identifiers.ts";
import { ClientIpcp } from "./ipcp.ts";
import { InterfaceIdOption, randomInterfaceId } from "./ipv6cp.ts";
import { MagicOption, MruOption } from "./lcp-options.ts";
import { compressionOptions, Lcp, type LcpOptions, type LcpPorts } from "./lcp.ts";
import { type DiscardReason, type FrameFate, LinkCore, type LinkPhase } from "./link-core.ts";
import type { ClientLinkPorts, TimerName } from "./link-ports.ts";
import { Mschapv2Client } from "./mschapv2-client.ts";
import type { AgreedIpv4, AgreedIpv6, Family } from "./network-configuration.ts";
import { isNetworkControl, type NcpDefinition, NetworkPhase } from "./network-phase.ts";
import { PapClient } from "./pap-client.ts";
import { WishedOption } from "./wished-option.ts";

export interface ClientLinkOptions {
    readonly profile: ClientProfile;
    /** With its `DOMAIN\` if it has one. */
    readonly user: string;
    readonly password: string;
    /** For a profile with EAP. */
    readonly eapPeer?: EapPeer;
    /** A fixed IPv4 address to ask for; absent = any. */
    readonly address?: string;
    /** For the Identification packets of Windows: name of the computer. */
    readonly computer?: string;
    /** The GUID of the SSTP connection, with hyphens. */
    readonly correlationId?: string;
}

const WINDOWS_VERSION = "MSRASV5.20";

export class PppClientLink {
    readonly #options: ClientLinkOptions;
    readonly #ports: ClientLinkPorts;
    readonly #core: LinkCore;
    readonly #acceptance: AuthenticationAcceptance;
    readonly #headers: ReturnType<typeof compressionOptions>;
    readonly #ipcp: ClientIpcp;
    readonly #interfaceIds: InterfaceIdOption;
    readonly #identifiers: () => Identifiers;
    #authentication: ClientAuthentication | undefined;
    #network: NetworkPhase | undefined;

    constructor(options: ClientLinkOptions, ports: ClientLinkPorts) {
        const { profile } = options;
        this.#options = options;
        this.#ports = ports;
        const shared = new Identifiers(profile.firstIdentifier);
        this.#identifiers = () => (profile.sharedIdentifier ? shared : new Identifiers(profile.firstIdentifier));
        this.#acceptance = new AuthenticationAcceptance(profile.authentication);
        this.#headers = compressionOptions(profile.lcp.compressHeaders);
        this.#ipcp = new ClientIpcp(
            { ...profile.ipcp, ...(options.address === undefined ? {} : { address: options.address }) },
            (detail) => this.#core.end("no-network-protocol", detail),
        );
        this.#interfaceIds = new InterfaceIdOption(randomInterfaceId(ports.random), undefined);
        this.#core = new LinkCore(
            ports,
            (protocol, packet) => this.#sendFrame(protocol, packet),
            {
                established: () => this.#onEstablished(),
                interrupted: () => this.#onInterrupted(),
                mayRenegotiate: () => this.#mayRenegotiate(),
                onFrame: (protocol, payload) => this.#onFrame(protocol, payload),
                onTimer: (name) => this.#onTimer(name),
                protocolRejected: (protocol) => this.#network?.protocolRejected(protocol),
                identified: () => undefined,
                echoReplied: () => undefined,
            },
            (lcpPorts) => this.#createLcp(lcpPorts),
        );
    }

    get phase(): LinkPhase {
        return this.#core.phase;
    }

    /** What the server gave, while IPv4 is open. */
    get ipv4(): AgreedIpv4 | undefined {
        return this.#network?.isOpen("ipv4") === true ? this.#ipcp.agreed() : undefined;
    }

    /** Both interface identifiers, while IPv6 is open. */
    get ipv6(): AgreedIpv6 | undefined {
        if (this.#network?.isOpen("ipv6") !== true) return undefined;
        const { ours, peer } = this.#interfaceIds;
        return {
            interfaceId: ours === undefined ? undefined : interfaceIdToText(ours),
            serverInterfaceId: peer === undefined ? undefined : interfaceIdToText(peer),
        };
    }

    /** Never send a larger payload than this to the server. */
    get peerMru(): number {
        return this.#core.lcp.peerMru;
    }

    /** Whether data frames may go out in the shape of `encodeCompressedFrame`. */
    get compressesHeaders(): boolean {
        return this.#core.lcp.opened && this.#headers.addressControlField.asked && this.#headers.protocolField.asked;
    }

    /** How many frames were silently discarded, and why. */
    get discarded(): Readonly<Record<DiscardReason, number>> {
        return this.#core.discarded;
    }

    /** Sends the first Configure-Request. */
    start(): void {
        this.#core.start();
    }

    /** Control frames only; never throws because of what the server sent.  `payload` is not kept. */
    onFrame(protocol: number, payload: Uint8Array): void {
        if (this.#options.profile.intolerant && protocol === PROTOCOL.lcp && isIntolerable(payload[0])) {
            this.#core.run(() => this.#core.end("lcp-refused", `LCP code ${payload[0] ?? 0} ends this client`));
            return;
        }
        this.#core.onFrame(protocol, payload);
    }

    /** A timer that `ports.startTimer` asked for has run out. */
    onTimer(name: TimerName): void {
        this.#core.onTimer(name);
    }

    /** LCP Terminate-Request, then `closed` with "terminated-locally" and `detail`. */
    terminate(detail: string): void {
        this.#core.run(() => this.#core.end("terminated-locally", detail));
    }

    /** The connection is gone: stops every timer; no port is called any more. */
    down(): void {
        this.#core.down();
    }

    #createLcp(ports: LcpPorts): Lcp {
        const { lcp } = this.#options.profile;
        const wishes: readonly (WishedOption | false)[] = [
            lcp.asyncMap && new WishedOption(LCP_OPTION.asyncMap, new Uint8Array(4)),
            lcp.callback !== undefined && new WishedOption(LCP_OPTION.callback, Uint8Array.of(lcp.callback)),
        ];
        const options: LcpOptions = {
            mru: new MruOption(lcp.mru, lcp.smallestServerMru),
            magic: lcp.magic ? new MagicOption((size) => this.#ports.random(size)) : undefined,
            ...this.#headers,
            others: [this.#acceptance, ...wishes.filter((wish) => wish !== false)],
        };
        return new Lcp(options, this.#identifiers(), ports);
    }

    #sendFrame(protocol: number, packet: Uint8Array): void {
        // Windows says goodbye in a whole frame, whatever it sent before.
        const whole = !this.compressesHeaders || packet[0] === CODE.terminateRequest;
        this.#ports.send(whole ? encodeFrame(protocol, packet) : encodeCompressedFrame(protocol, packet));
    }

    #onEstablished(): void {
        const { profile, computer, correlationId } = this.#options;
        const { method } = this.#acceptance;
        this.#core.enter("authenticate");
        if (profile.identifies) {
            const identification = {
                version: WINDOWS_VERSION,
                ...(computer === undefined ? {} : { computer }),
                ...(correlationId === undefined ? {} : { correlationId }),
            };
            for (const message of identificationMessages(identification)) this.#core.lcp.sendIdentification(message);
        }
        if (method === undefined) {
            return this.#core.end("authentication-not-agreed", "the server does not ask who we are");
        }
        this.#authentication = this.#createAuthentication(method);
        this.#authentication.start();
    }

    #createAuthentication(method: AuthenticationMethod): ClientAuthentication {
        const { profile, eapPeer } = this.#options;
        const { authenticationTimeoutMs } = profile;
        const protocol = protocolOfMethod(method);
        const ports = {
            send: (packet: Uint8Array) => this.#sendFrame(protocol, packet),
            startTimer: (milliseconds: number) => this.#ports.startTimer("authentication", milliseconds),
            stopTimer: () => this.#ports.stopTimer("authentication"),
            random: (size: number) => this.#ports.random(size),
            digests: this.#ports.digests,
            succeeded: (hlak: Uint8Array) => this.#onAuthenticated(hlak),
            failed: this.#core.end.bind(this.#core),
        };
        switch (method) {
            case "pap":
                return new PapClient(this.#options, authenticationTimeoutMs, this.#identifiers(), ports);
            case "chap":
                return new ChapClient(this.#options, authenticationTimeoutMs, ports);
            case "mschapv2":
                return new Mschapv2Client(this.#options, authenticationTimeoutMs, ports);
            case "eap":
                if (eapPeer === undefined) throw new InvariantError("a profile with EAP, and nobody who speaks it");
                return new EapClient(this.#options, authenticationTimeoutMs, eapPeer, ports);
        }
    }

    /** The server may challenge again later; that does not begin another network phase. */
    #onAuthenticated(hlak: Uint8Array): void {
        if (this.phase !== "authenticate") return;
        this.#core.enter("network");
        this.#core.report(() => this.#ports.authenticated(hlak));
        this.#network = new NetworkPhase({
            send: (protocol, packet) => this.#sendFrame(protocol, packet),
            startTimer: (name, milliseconds) => this.#ports.startTimer(name, milliseconds),
            stopTimer: (name) => this.#ports.stopTimer(name),
            opened: (family) => this.#onOpened(family),
            lost: (family) => this.#core.report(() => this.#ports.lost(family)),
            rejectProtocol: (protocol, payload) => this.#core.lcp.rejectProtocol(protocol, payload),
            exhausted: (detail) => this.#core.end("no-network-protocol", detail),
            peerMru: () => this.peerMru,
        });
        const { ipv6 } = this.#options.profile;
        const definitions = new Map<Family, NcpDefinition>([
            ["ipv4", { handlers: this.#ipcp.handlers, identifiers: this.#identifiers() }],
        ]);
        if (ipv6 !== "none") {
            definitions.set("ipv6", { handlers: [this.#interfaceIds], identifiers: this.#identifiers() });
        }
        this.#network.configure(definitions, ipv6 === "parallel" ? ["ipv6", "ipv4"] : ["ipv4"]);
    }

    #onOpened(family: Family): void {
        this.#core.report(() => this.#ports.opened(family));
        if (family === "ipv4" && this.#options.profile.ipv6 === "after-ipv4") this.#network?.start("ipv6");
    }

    #onInterrupted(): void {
        this.#authentication?.stop();
        this.#network?.down();
    }

    #mayRenegotiate(): boolean {
        if (this.phase === "authenticate") return true;
        this.#core.end("renegotiation-refused", `LCP restarted in phase ${this.phase}`);
        return false;
    }

    #onFrame(protocol: number, payload: Uint8Array): FrameFate {
        if (AUTHENTICATION_PROTOCOLS.includes(protocol)) {
            const authentication = this.phase === "authenticate" || this.phase === "network";
            if (!authentication || this.#authentication?.protocol !== protocol) return "phase";
            return this.#authentication.onPacket(decodeControlPacket(payload)) ? "done" : "unexpected";
        }
        if (isNetworkControl(protocol)) {
            if (this.phase !== "network" || this.#network === undefined) return "phase";
            return this.#network.onFrame(protocol, payload) ? "done" : "unexpected";
        }
        return protocol === PROTOCOL.ipv4 || protocol === PROTOCOL.ipv6 ? "phase" : "unknown";
    }

    #onTimer(name: TimerName): void {
        if (name === "authentication") this.#authentication?.onTimer();
        else if (name === "ipcp" || name === "ipv6cp") this.#network?.onTimer(name);
    }
}

const isIntolerable = (code: number | undefined): boolean =>
    code === CODE.codeReject || code === CODE.protocolReject || (code !== undefined && code >= CODE.identification);
