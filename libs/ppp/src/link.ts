// One PPP link, server side, RFC 1661 §3.2: establish, authenticate, network, terminate.  Sans-I/O: bytes and facts in,
// bytes and facts out, through the ports.
import { InvariantError } from "@postern/errors";
import type { AuthenticationMethod, AuthenticationResult } from "./authentication-attempt.ts";
import { AuthenticationDemand, protocolOfMethod } from "./authentication-option.ts";
import { AUTHENTICATOR_TIMES, type Authenticator, type AuthenticatorPorts } from "./authenticator.ts";
import { CHAP_MD5, ChapAuthenticator, MSCHAPV2 } from "./chap-authenticator.ts";
import { ATTEMPT_TIMEOUT_MS, AUTHENTICATION_PROTOCOLS, OUR_MRU, PROTOCOL } from "./constants.ts";
import { decodeControlPacket } from "./control-packet.ts";
import { EapAuthenticator } from "./eap-authenticator.ts";
import { EchoMonitor, type EchoOptions } from "./echo-monitor.ts";
import { encodeFrame } from "./frame.ts";
import { type Identification, withIdentification } from "./identification.ts";
import { Identifiers } from "./identifiers.ts";
import { MagicOption, MruOption } from "./lcp-options.ts";
import { compressionOptions, Lcp, type LcpPorts } from "./lcp.ts";
import { type DiscardReason, type FrameFate, LinkCore, type LinkPhase } from "./link-core.ts";
import type { ServerLinkPorts, TimerName } from "./link-ports.ts";
import type { NetworkConfiguration } from "./network-configuration.ts";
import { isNetworkControl } from "./network-phase.ts";
import { PapAuthenticator } from "./pap-authenticator.ts";
import { ServerNetwork } from "./server-network.ts";
import type { LinkSnapshot } from "./snapshot.ts";

export interface ServerLinkOptions {
    /** What policy allows, in the order in which it is offered.  Not empty. */
    readonly authentication: readonly AuthenticationMethod[];
    /** Name in CHAP challenges. */
    readonly serverName: string;
    /** Maximum receive unit that we announce; `OUR_MRU` if absent. */
    readonly mru?: number;
    /** LCP echoes; none if absent (SSTP has its own). */
    readonly echo?: EchoOptions;
    /** How long `authenticated` may take, in milliseconds; `ATTEMPT_TIMEOUT_MS` if absent. */
    readonly attemptTimeoutMs?: number;
}

const FIRST_IDENTIFIER = 1;

export class PppLink {
    readonly #options: ServerLinkOptions;
    readonly #ports: ServerLinkPorts;
    readonly #core: LinkCore;
    readonly #demand: AuthenticationDemand;
    /** Of Challenges and EAP Requests. */
    readonly #identifiers = new Identifiers(FIRST_IDENTIFIER);
    readonly #echo: EchoMonitor | undefined;
    #authenticator: Authenticator | undefined;
    #user: string | undefined;
    #network: ServerNetwork | undefined;
    #identification: Identification = {};

    constructor(options: ServerLinkOptions, ports: ServerLinkPorts, snapshot?: LinkSnapshot) {
        if (options.authentication.length === 0) throw new InvariantError("no authentication method is allowed");
        this.#options = options;
        this.#ports = ports;
        this.#demand = new AuthenticationDemand(
            snapshot === undefined ? options.authentication : [snapshot.method],
            (detail) => this.#core.end("authentication-not-agreed", detail),
        );
        this.#core = new LinkCore(
            ports,
            (protocol, packet) => ports.send(encodeFrame(protocol, packet)),
            {
                established: () => this.#onEstablished(),
                interrupted: () => this.#onInterrupted(),
                mayRenegotiate: () => this.#mayRenegotiate(),
                onFrame: (protocol, payload) => this.#onFrame(protocol, payload),
                onTimer: (name) => this.#onTimer(name),
                protocolRejected: (protocol) => this.#onProtocolRejected(protocol),
                identified: (message) => {
                    this.#identification = withIdentification(this.#identification, message);
                },
                echoReplied: () => this.#echo?.onReply(),
            },
            (lcpPorts) => this.#createLcp(lcpPorts, snapshot),
            snapshot === undefined ? "dead" : "network",
        );
        this.#echo = options.echo === undefined ? undefined : this.#createEchoMonitor(options.echo);
        if (snapshot !== undefined) this.#restore(snapshot);
    }

    /** An open link that goes on from `snapshot`; of its ports only the timers are used before a frame comes. */
    static restore(options: ServerLinkOptions, ports: ServerLinkPorts, snapshot: LinkSnapshot): PppLink {
        return new PppLink(options, ports, snapshot);
    }

    get phase(): LinkPhase {
        return this.#core.phase;
    }

    /** IPv4 packets may pass. */
    get ipv4Open(): boolean {
        return this.#network?.isOpen("ipv4") ?? false;
    }

    /** IPv6 packets may pass. */
    get ipv6Open(): boolean {
        return this.#network?.isOpen("ipv6") ?? false;
    }

    /** Never send a larger payload than this to the client; 1500 until it says otherwise. */
    get peerMru(): number {
        return this.#core.lcp.peerMru;
    }

    /** What the client said about itself: unverified. */
    get identification(): Identification {
        return this.#identification;
    }

    /** The name that the client claimed, once it has. */
    get user(): string | undefined {
        return this.#authenticator?.user ?? this.#user;
    }

    /** The method agreed on, once LCP is open. */
    get method(): AuthenticationMethod | undefined {
        return this.#core.lcp.opened ? this.#demand.method : undefined;
    }

    /** Our interface identifier while IPv6 is open, 16 hexadecimal digits. */
    get serverInterfaceId(): string | undefined {
        return this.#network?.serverInterfaceId;
    }

    /** The client's interface identifier while IPv6 is open, 16 hexadecimal digits. */
    get clientInterfaceId(): string | undefined {
        return this.#network?.clientInterfaceId;
    }

    /** How many frames were silently discarded, and why. */
    get discarded(): Readonly<Record<DiscardReason, number>> {
        return this.#core.discarded;
    }

    /** Sends the first Configure-Request. */
    start(): void {
        this.#core.start();
    }

    /** Control frames only; never throws because of what the peer sent.  `payload` is not kept. */
    onFrame(protocol: number, payload: Uint8Array): void {
        this.#core.onFrame(protocol, payload);
    }

    /** A timer that `ports.startTimer` asked for has run out. */
    onTimer(name: TimerName): void {
        this.#core.onTimer(name);
    }

    /** The answer to `ports.authenticate`.  Ignored when it comes too late. */
    authenticated(result: AuthenticationResult): void {
        this.#core.run(() => this.#authenticator?.answer(result));
    }

    /**
     * Starts the network control protocols; packets that came early are processed now.  Once per link, after
     * `authenticated`; ignored when the link is ending.
     */
    configureNetwork(configuration: NetworkConfiguration): void {
        const network = this.phase === "network" ? this.#network : undefined;
        if (network === undefined) return;
        this.#core.run(() => {
            for (const [protocol, payload] of network.configure(configuration)) this.#core.onFrame(protocol, payload);
        });
    }

    /** LCP Terminate-Request, then `closed` with "terminated-locally" and `detail`. */
    terminate(detail: string): void {
        this.#core.run(() => this.#core.end("terminated-locally", detail));
    }

    /** The connection is gone: stops every timer; no port is called any more. */
    down(): void {
        this.#core.down();
    }

    /** `undefined` before the network is configured and after the link has ended. */
    snapshot(): LinkSnapshot | undefined {
        const network = this.phase === "network" ? this.#network?.snapshot() : undefined;
        const { method, user } = this;
        if (network === undefined || method === undefined || user === undefined) return undefined;
        const identification = this.#identification;
        return { version: 1, lcp: this.#core.lcp.snapshot(), method, user, identification, ...network };
    }

    #createLcp(ports: LcpPorts, snapshot: LinkSnapshot | undefined): Lcp {
        const known = snapshot?.lcp;
        return new Lcp(
            {
                mru: new MruOption(known?.ourMru ?? this.#options.mru ?? OUR_MRU, undefined, known?.peerMru),
                magic: new MagicOption(
                    (size) => this.#ports.random(size),
                    known === undefined ? undefined : { ours: known.ourMagic, peer: known.peerMagic },
                ),
                ...compressionOptions(false, known),
                others: [this.#demand],
            },
            new Identifiers(known?.nextIdentifier ?? FIRST_IDENTIFIER),
            ports,
            snapshot !== undefined,
        );
    }

    #createEchoMonitor(options: EchoOptions): EchoMonitor {
        return new EchoMonitor(options, {
            sendEchoRequest: () => this.#core.lcp.sendEchoRequest(),
            startTimer: (milliseconds) => this.#ports.startTimer("echo", milliseconds),
            stopTimer: () => this.#ports.stopTimer("echo"),
            failed: (detail) => this.#core.end("echo-timeout", detail),
        });
    }

    #createAuthenticator(method: AuthenticationMethod): Authenticator {
        const { serverName, attemptTimeoutMs = ATTEMPT_TIMEOUT_MS } = this.#options;
        const protocol = protocolOfMethod(method);
        const times = { ...AUTHENTICATOR_TIMES, attemptMs: attemptTimeoutMs };
        const ports: AuthenticatorPorts = {
            send: (packet) => this.#ports.send(encodeFrame(protocol, packet)),
            startTimer: (milliseconds) => this.#ports.startTimer("authentication", milliseconds),
            stopTimer: () => this.#ports.stopTimer("authentication"),
            random: (size) => this.#ports.random(size),
            authenticate: (attempt) => this.#core.report(() => this.#ports.authenticate(attempt)),
            succeeded: () => this.#onAuthenticated(),
            failed: (reason, detail) => this.#core.end(reason, detail),
        };
        switch (method) {
            case "pap":
                return new PapAuthenticator(ports, times);
            case "chap":
                return new ChapAuthenticator(CHAP_MD5, serverName, this.#identifiers, ports, times);
            case "mschapv2":
                return new ChapAuthenticator(MSCHAPV2, serverName, this.#identifiers, ports, times);
            case "eap":
                return new EapAuthenticator(this.#identifiers, ports, times);
        }
    }

    #onEstablished(): void {
        const { method } = this.#demand;
        if (method === undefined) throw new InvariantError("LCP is open without an authentication method");
        this.#core.enter("authenticate");
        this.#echo?.start();
        this.#authenticator = this.#createAuthenticator(method);
        this.#authenticator.start();
    }

    #onInterrupted(): void {
        this.#echo?.stop();
        this.#authenticator?.stop();
        this.#network?.down();
    }

    /**
     * Before the client has shown credentials LCP may start over.  Later it may not: the crypto binding stands for this
     * authentication, and a client that starts over between attempts could try passwords without end.
     */
    #mayRenegotiate(): boolean {
        if (this.phase === "authenticate" && this.#authenticator?.user === undefined) return true;
        this.#core.end("renegotiation-refused", `LCP restarted in phase ${this.phase}`);
        return false;
    }

    #onAuthenticated(): void {
        this.#core.enter("network");
        this.#network = this.#createNetwork();
    }

    #createNetwork(): ServerNetwork {
        return new ServerNetwork({
            send: (protocol, packet) => this.#ports.send(encodeFrame(protocol, packet)),
            startTimer: (name, milliseconds) => this.#ports.startTimer(name, milliseconds),
            stopTimer: (name) => this.#ports.stopTimer(name),
            opened: (family) => this.#core.report(() => this.#ports.opened(family)),
            lost: (family) => this.#core.report(() => this.#ports.lost(family)),
            rejectProtocol: (protocol, payload) => this.#core.lcp.rejectProtocol(protocol, payload),
            exhausted: (detail) => this.#core.end("no-network-protocol", detail),
            peerMru: () => this.peerMru,
        });
    }

    #restore(snapshot: LinkSnapshot): void {
        this.#identification = snapshot.identification;
        this.#user = snapshot.user;
        this.#network = this.#createNetwork();
        this.#network.configure(snapshot.network, snapshot);
        this.#echo?.start();
    }

    #onFrame(protocol: number, payload: Uint8Array): FrameFate {
        if (AUTHENTICATION_PROTOCOLS.includes(protocol)) {
            if (this.#authenticator?.protocol !== protocol || this.phase === "establish") return "phase";
            return this.#authenticator.onPacket(decodeControlPacket(payload)) ? "done" : "unexpected";
        }
        if (isNetworkControl(protocol)) {
            if (this.phase !== "network" || this.#network === undefined) return "phase";
            return this.#network.onFrame(protocol, payload) ? "done" : "unexpected";
        }
        return protocol === PROTOCOL.ipv4 || protocol === PROTOCOL.ipv6 ? "phase" : "unknown";
    }

    #onTimer(name: TimerName): void {
        if (name === "authentication") this.#authenticator?.onTimer();
        else if (name === "echo") this.#echo?.onTimer();
        else if (name !== "lcp") this.#network?.onTimer(name);
    }

    #onProtocolRejected(protocol: number): void {
        if (this.phase === "authenticate" && protocol === this.#authenticator?.protocol) {
            this.#core.end("authentication-not-agreed", `client rejects protocol ${protocol.toString(16)}`);
        } else {
            this.#network?.protocolRejected(protocol);
        }
    }
}
