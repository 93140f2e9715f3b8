// One session: owns the stream, feeds the decoders, carries out what the SSTP call and the PPP link ask for, and nothing else.
import type { EndReason, SessionSnapshot } from "@postern/contracts";
import { InvariantError, PosternError } from "@postern/errors";
import { parseIpv4 } from "@postern/ip";
import type { AuthenticationAttempt, Closure } from "@postern/ppp";
import { type CallEnd, KEYLESS_HLAK, PacketReader, type PacketSink, SstpError } from "@postern/sstp";
import { CredentialDesk } from "./credential-desk.ts";
import { EgressQueue } from "./egress-queue.ts";
import { endReasonOf, endReasonOfLink } from "./end-reason.ts";
import { PacketPath } from "./packet-path.ts";
import { startDeadlines } from "./session-deadlines.ts";
import type { Admission, Decision, HandOver, SessionFacts, SessionPorts, SessionTransport } from "./session-ports.ts";
import { type ProtocolOwner, SessionProtocols } from "./session-protocols.ts";
import { bindingHashOf, composeSnapshot } from "./session-snapshot.ts";
import { SessionTimers } from "./session-timers.ts";
import type { Run } from "./uplink.ts";

/** Milliseconds that a client has to read our farewell. */
const LINGER = 1_000;
/** Interface identifiers of a link without routed IPv6, RFC 5072 §4.1. */
const IPV6 = { serverInterfaceId: "0000000000000001", clientInterfaceId: "0000000000000002" };

export class Session implements PacketSink, ProtocolOwner {
    readonly id: string;
    readonly slot: number;
    readonly transport: SessionTransport;
    readonly timers: SessionTimers;
    readonly #ports: SessionPorts;
    readonly #protocols: SessionProtocols;
    readonly #path: PacketPath;
    readonly #egress: EgressQueue;
    readonly #reader: PacketReader;
    readonly #desk: CredentialDesk;
    #admission: Admission | undefined;
    #startedAt: Date | undefined;
    /** Why the session ends, where that is known before its protocols have. */
    #reason: EndReason | undefined;
    #over = false;
    #chunk: Uint8Array | undefined;
    #unlisten: () => void = () => undefined;

    private constructor(id: string, slot: number, transport: SessionTransport, ports: SessionPorts, moved?: HandOver) {
        const { settings } = ports;
        this.id = id;
        this.slot = slot;
        this.transport = transport;
        this.#ports = ports;
        this.timers = new SessionTimers(ports.wheel, () => ports.now());
        this.#desk = new CredentialDesk({
            decide: ports.decide,
            settings,
            guard: (work) => this.guard(work),
            onDecision: (decision) => this.#onDecision(decision),
        });
        this.#egress = new EgressQueue(transport.stream, settings.egress, () => this.cut("client-gone"));
        this.#protocols =
            moved === undefined
                ? SessionProtocols.negotiate(this, settings, transport)
                : SessionProtocols.restore(this, settings, moved);
        this.#path = new PacketPath({
            gate: this.#protocols,
            egress: this.#egress,
            batch: ports.batch,
            onControlFrame: (protocol, payload) => {
                if (this.#protocols.call.passesControl) this.#protocols.link.onFrame(protocol, payload);
            },
            reply: (packet) => ports.uplink.write(packet, Uint32Array.of(0, packet.length), 1),
            mtu: settings.mtu,
            gateway: parseIpv4(settings.gateway),
        });
        this.#reader = new PacketReader(this, moved?.tail);
    }

    /** A session that begins: its peer has just been told HTTP 200. */
    static negotiate(id: string, slot: number, transport: SessionTransport, ports: SessionPorts): Session {
        const session = new Session(id, slot, transport, ports);
        session.#listen();
        return session;
    }

    /** A session that goes on: another worker negotiated it and gave it up, or died. */
    static restore(moved: HandOver, slot: number, transport: SessionTransport, ports: SessionPorts): Session {
        const session = new Session(moved.facts.session, slot, transport, ports, moved);
        session.#startedAt = moved.startedAt;
        session.#join(moved.facts.admission);
        session.#listen();
        return session;
    }

    /** `undefined` until the registry has admitted the session. */
    get facts(): SessionFacts | undefined {
        return this.#admission && this.#factsOf(this.#admission);
    }

    get counters() {
        return this.#path.counters;
    }

    get drops() {
        return this.#path.drops;
    }

    /** Packets from the uplink. */
    deliver(run: Run): void {
        this.guard(() => this.#path.onRun(run));
    }

    /** Ends the session as a client expects it: LCP Terminate-Request, CALL_DISCONNECT, close. */
    end(reason: EndReason): void {
        if (this.#over) return;
        this.#reason ??= reason;
        this.#disconnectAfter(this.#ports.settings.terminateTimeout);
        const { call, link } = this.#protocols;
        this.guard(() => {
            if (call.passesControl) link.terminate(reason);
            else call.disconnect();
        });
    }

    /** Ends the session at once, without a farewell. */
    cut(reason: EndReason): void {
        if (this.#over) return;
        this.#reason ??= reason;
        this.transport.stream.destroy();
        this.#protocols.call.onStreamClosed();
    }

    /** `undefined` until the session is open. */
    snapshot(): SessionSnapshot | undefined {
        if (this.#startedAt === undefined) return undefined;
        const { call, link } = this.#protocols;
        return composeSnapshot(call, link, this.timers, this.transport);
    }

    /** Lets go of the stream without ending the session; `restore` goes on with it elsewhere.  `undefined`: it is not open. */
    handOver(): HandOver | undefined {
        const snapshot = this.snapshot();
        const { facts } = this;
        const startedAt = this.#startedAt;
        if (snapshot === undefined || facts === undefined || startedAt === undefined || this.#over) return undefined;
        this.#over = true;
        this.#reader.stop();
        this.timers.stopAll();
        this.#protocols.link.down();
        this.transport.stream.pause();
        this.#unlisten();
        this.#ports.uplink.detach(this.slot, facts.admission.addresses.address);
        this.#ports.closed(this.id);
        return { facts, snapshot, tail: this.#reader.tail, startedAt };
    }

    onControlPacket(bytes: Uint8Array, start: number, end: number): void {
        this.#protocols.call.onControlPacket(bytes.subarray(start, end));
    }

    onDataPacket(bytes: Uint8Array, start: number, end: number): void {
        this.#path.onFrame(bytes, start, end);
        // A packet that came in two chunks lies in the reader's own buffer, which its next packet overwrites.
        if (bytes !== this.#chunk) this.#ports.batch.flush();
    }

    now(): number {
        return this.#ports.now();
    }

    sendControl(packet: Uint8Array): void {
        this.#egress.sendControl(packet);
    }

    guard(work: () => void): void {
        try {
            work();
        } catch (error) {
            if (error instanceof SstpError) {
                this.#protocols.call.onFramingLost(error);
                return;
            }
            const failure = error instanceof PosternError ? error : new InvariantError("unexpected", { cause: error });
            this.#ports.log.error({ session: this.id, error: failure }, "a session failed and was ended");
            this.cut("internal-error");
        }
    }

    mark(step: string): void {
        if (!this.transport.steps.has(step)) this.transport.steps.set(step, this.now());
    }

    onCredentials(attempt: AuthenticationAttempt): void {
        this.#protocols.call.suspendNegotiationTimer();
        this.#desk.submit(this.id, this.transport, attempt);
    }

    /** The session has begun once the data gate is open, and a network protocol. */
    onOpened(): void {
        const { facts } = this;
        if (this.#startedAt !== undefined || facts === undefined || !this.#protocols.isOpen) return;
        this.#startedAt = new Date();
        const snapshot = this.snapshot();
        const { version, computer } = this.#protocols.link.identification;
        this.#ports.report.started(facts, {
            bindingHash: bindingHashOf(snapshot?.certificateHash ?? ""),
            clientInformation: [version, computer].filter((text) => text !== undefined),
        });
        if (snapshot !== undefined) this.#ports.report.snapshot(facts, snapshot, { ...this.counters });
    }

    onLinkClosed(closure: Closure): void {
        this.#ports.log.info({ session: this.id, reason: closure.reason, detail: closure.detail }, "PPP ended");
        this.#reason ??= endReasonOfLink(closure.reason);
        // A client that terminated PPP itself says CALL_DISCONNECT next; one that we refused is told so.
        this.#disconnectAfter(closure.reason === "terminated-by-peer" ? this.#ports.settings.terminateTimeout : 0);
    }

    onCallClosed(end: CallEnd): void {
        if (this.#over) return;
        this.#over = true;
        this.#reader.stop();
        this.#desk.close();
        this.timers.stopAll();
        this.#protocols.link.down();
        const { facts } = this;
        if (end.reason === "binding-failed") {
            const identity = this.#protocols.link.user ?? "";
            this.#ports.report.bindingFailed(this.id, this.transport, { identity, reason: end.failure });
        }
        if (facts !== undefined) {
            this.#ports.uplink.detach(this.slot, facts.admission.addresses.address);
            this.#ports.report.ended(facts, this.#ended(endReasonOf(end, this.#reason)));
        }
        const { stream } = this.transport;
        stream.end();
        this.timers.start("linger", LINGER, () => stream.destroy());
    }

    #listen(): void {
        const { stream } = this.transport;
        const onData = (chunk: Uint8Array): void => this.#onChunk(chunk);
        const onError = ({ message }: Error): void =>
            this.#ports.log.debug({ session: this.id, message }, "stream failed");
        const onClose = (): void => {
            this.guard(() => this.#protocols.call.onStreamClosed());
            this.timers.stopAll();
            this.#ports.closed(this.id);
        };
        stream.on("data", onData).on("error", onError).on("close", onClose).resume();
        this.#unlisten = () => stream.off("data", onData).off("error", onError).off("close", onClose);
    }

    #onChunk(chunk: Uint8Array): void {
        if (this.#over) return;
        this.#chunk = chunk;
        this.guard(() => {
            this.#protocols.call.onPacketReceived();
            this.#reader.push(chunk);
        });
        this.#ports.batch.flush();
    }

    #onDecision(decision: Decision): void {
        if (decision.outcome === "admitted") return this.#onAdmitted(decision);
        if (this.#over) return;
        this.#protocols.call.resumeNegotiationTimer();
        if (decision.outcome === "challenge-again") this.#protocols.link.authenticated(decision);
        else this.#protocols.link.authenticated({ outcome: "failure", failure: decision.failure });
    }

    #onAdmitted({ admission, message, hlak }: Extract<Decision, { outcome: "admitted" }>): void {
        if (this.#over) {
            this.#ports.report.ended(this.#factsOf(admission), this.#ended(this.#reason ?? "client-gone"));
            return;
        }
        this.mark("authenticated");
        this.#join(admission);
        const { call, link } = this.#protocols;
        const { address: clientAddress, dns, nbns, gateway: serverAddress } = admission.addresses;
        link.authenticated({ outcome: "success", message });
        call.authenticated(hlak ?? (admission.method === "pap" ? KEYLESS_HLAK : undefined));
        link.configureNetwork({ ipv4: { serverAddress, clientAddress, dns, nbns }, ipv6: IPV6 });
    }

    #join(admission: Admission): void {
        this.#admission = admission;
        this.#path.lease(admission.addresses.address);
        this.#ports.uplink.attach(this.slot, admission.addresses.address);
        const packets = (): number => this.counters.packetsIn + this.counters.packetsOut;
        startDeadlines(this.timers, admission, packets, (reason) => this.end(reason));
    }

    #disconnectAfter(milliseconds: number): void {
        this.timers.start("terminate", milliseconds, () => this.guard(() => this.#protocols.call.disconnect()));
    }

    #factsOf(admission: Admission): SessionFacts {
        return { session: this.id, transport: this.transport, admission };
    }

    #ended(reason: EndReason) {
        return { reason, startedAt: this.#startedAt ?? new Date(), counters: { ...this.counters } };
    }
}
