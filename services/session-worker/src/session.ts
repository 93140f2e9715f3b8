// One session: owns the stream, feeds the decoders, carries out what the SSTP call and the PPP link ask for, and nothing else.
import type { Counters, EndReason, SessionSnapshot } from "@postern/contracts";
import { InvariantError, PosternError } from "@postern/errors";
import type { AuthenticationAttempt, Closure } from "@postern/ppp";
import { type CallEnd, SstpError } from "@postern/sstp";
import { StreamReading } from "@postern/tcp";
import type { DataPath } from "@postern/tun";
import { CredentialDesk } from "./credential-desk.ts";
import { EgressQueue } from "./egress-queue.ts";
import { endReasonOf, whyGivenUp } from "./end-reason.ts";
import { PacketIntake } from "./packet-intake.ts";
import type { Admission, Decision, HandOver, SessionFacts, SessionPorts, SessionTransport } from "./session-ports.ts";
import { type ProtocolOwner, SessionProtocols } from "./session-protocols.ts";
import { type Inheritance, SessionTenure } from "./session-tenure.ts";
import { SessionTimers } from "./session-timers.ts";

/** Milliseconds that a client has to read our farewell. */
const LINGER = 1_000;

export class Session implements ProtocolOwner {
    readonly id: string;
    readonly slot: number;
    readonly transport: SessionTransport;
    readonly timers: SessionTimers;
    readonly #ports: SessionPorts;
    readonly #protocols: SessionProtocols;
    readonly #path: DataPath;
    readonly #egress: EgressQueue;
    readonly #intake: PacketIntake;
    readonly #desk: CredentialDesk;
    /** From the admission on. */
    #tenure: SessionTenure | undefined;
    /** Why the session ends, where that is our wish. */
    #reason: EndReason | undefined;
    #closure: Closure | undefined;
    #over = false;
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
            maxAttempts: settings.maxAttempts,
            guard: (work) => this.guard(work),
            onDecision: (decision) => this.#onDecision(decision),
        });
        // Not `cut`: it is found out while the call or the link is at work.
        this.#egress = new EgressQueue(transport.stream, settings.egress, ports.now, () =>
            this.#abandon("client-gone"),
        );
        this.#protocols =
            moved === undefined
                ? SessionProtocols.negotiate(this, ports, transport)
                : SessionProtocols.restore(this, ports, moved);
        this.#path = ports.uplink.path(slot, {
            gate: this.#protocols,
            egress: this.#egress,
            onControlFrame: (protocol, payload) => this.#onControlFrame(protocol, payload),
            onLinkPacket: (packet) => this.#tenure?.onLinkPacket(packet),
        });
        const onFailure = (error: unknown): void => this.#onFailure(error);
        this.#intake = new PacketIntake(
            { ...settings, call: this.#protocols.call, path: this.#path, onFailure },
            moved?.tail,
        );
    }

    /** A session that begins: its peer has just been told HTTP 200. */
    static negotiate(id: string, slot: number, transport: SessionTransport, ports: SessionPorts): Session {
        const session = new Session(id, slot, transport, ports);
        session.#listen();
        return session;
    }

    /** A session that goes on: another worker negotiated it and gave it up, or died. */
    static restore(moved: HandOver, slot: number, transport: SessionTransport, ports: SessionPorts): Session {
        const { facts, snapshot, startedAt, counters } = moved;
        const session = new Session(facts.session, slot, transport, ports, moved);
        session.#tenure = session.#tenureOf(facts.admission, { startedAt, counters, deadlines: snapshot.deadlines });
        session.#tenure.begin();
        session.#path.refresh();
        session.#listen();
        return session;
    }

    /** `undefined` until the registry has admitted the session, and when it is over. */
    get facts(): SessionFacts | undefined {
        return this.#over ? undefined : this.#tenure?.facts;
    }

    /** The client can send and receive IP packets. */
    get isOpen(): boolean {
        return !this.#over && this.#tenure?.startedAt !== undefined;
    }

    /** Of the whole session. */
    get counters(): Counters {
        return this.#tenure?.counters ?? this.#path.counters;
    }

    /** What passed through this worker. */
    get traffic(): Pick<DataPath, "counters" | "drops"> {
        return this.#path;
    }

    /** Ends the session as a client expects it: LCP Terminate-Request, CALL_DISCONNECT, close.  False: it is over already. */
    end(reason: EndReason): boolean {
        if (this.#over) return false;
        this.#reason ??= reason;
        this.#disconnectAfter(this.#ports.settings.terminateTimeout);
        const { call, link } = this.#protocols;
        this.guard(() => {
            if (call.passesControl) link.terminate(reason);
            else call.disconnect();
        });
        return true;
    }

    /** Ends the session at once, without a farewell. */
    cut(reason: EndReason): void {
        if (this.#over) return;
        this.#abandon(reason);
        this.#protocols.call.onStreamClosed();
    }

    /** `undefined` while the session is not open. */
    snapshot(): SessionSnapshot | undefined {
        return this.#over ? undefined : this.#tenure?.snapshot();
    }

    /** Lets go of the stream without ending the session; `restore` goes on with it elsewhere.  `undefined`: it is not open. */
    handOver(): HandOver | undefined {
        const snapshot = this.snapshot();
        const tenure = this.#tenure;
        if (snapshot === undefined || tenure?.startedAt === undefined) return undefined;
        const { facts, startedAt, counters } = tenure;
        this.#stop();
        this.#unlisten();
        tenure.leave();
        this.timers.close();
        this.#forget();
        return { facts, snapshot, tail: this.#intake.tail, startedAt, counters };
    }

    /** Tells an IPv6 client its network again. */
    advertise(): void {
        this.guard(() => this.#tenure?.advertise());
    }

    sendControl(packet: Uint8Array): void {
        this.#egress.sendControl(packet);
    }

    guard(work: () => void): void {
        try {
            work();
        } catch (error) {
            this.#onFailure(error);
        }
        this.#path.refresh();
    }

    mark(step: string): void {
        if (!this.transport.steps.has(step)) this.transport.steps.set(step, this.#ports.now());
    }

    onCredentials(attempt: AuthenticationAttempt): void {
        this.#protocols.call.suspendNegotiationTimer();
        this.#desk.submit(this.id, this.transport, attempt);
    }

    /** The session has begun once the data gate is open, and a network protocol. */
    onOpened(): void {
        if (this.#protocols.isOpen) this.#tenure?.onOpened();
    }

    onNetworkLost(): void {
        this.#tenure?.changed();
    }

    onLinkClosed(closure: Closure): void {
        const { reason, detail } = closure;
        this.#ports.log.debug({ session: this.id, reason, detail }, "PPP ended");
        this.#closure = closure;
        this.#desk.close();
        // A client that terminated PPP itself says CALL_DISCONNECT next; one that we refused is told so.
        this.#disconnectAfter(reason === "terminated-by-peer" ? this.#ports.settings.terminateTimeout : 0);
    }

    onCallClosed(end: CallEnd): void {
        if (this.#over) return;
        const { report } = this.#ports;
        const { stream } = this.transport;
        this.#stop();
        stream.end();
        this.timers.start("linger", LINGER, () => stream.destroy());
        if (end.reason === "binding-failed") {
            const identity = this.#protocols.link.user ?? "";
            const admitted = this.#tenure !== undefined;
            report.bindingFailed(this.id, this.transport, { identity, reason: end.failure, admitted });
        }
        const tenure = this.#tenure;
        if (tenure === undefined) report.gaveUp(this.id, this.transport, whyGivenUp(end, this.#closure, this.#reason));
        else tenure.end(endReasonOf(end, this.#closure, this.#reason));
    }

    /** Nothing more is read, asked or waited for. */
    #stop(): void {
        this.#over = true;
        this.#intake.stop();
        this.#desk.close();
        this.timers.stopAll();
        this.#protocols.link.down();
        this.#path.refresh();
    }

    /** Somebody else may have the slot. */
    #forget(): void {
        this.#path.close();
        this.#ports.closed(this.id);
    }

    #listen(): void {
        const { stream } = this.transport;
        const onError = ({ message }: Error): void =>
            this.#ports.log.debug({ session: this.id, message }, "stream failed");
        const onClose = (): void => {
            this.guard(() => this.#protocols.call.onStreamClosed());
            this.timers.close();
            this.#forget();
        };
        stream.on("error", onError).on("close", onClose);
        const reading = new StreamReading(stream, (bytes, lasting) => {
            if (!this.#over) this.#intake.push(bytes, lasting);
        });
        this.#unlisten = () => {
            reading.stop();
            stream.off("error", onError).off("close", onClose);
        };
        reading.start();
    }

    #onControlFrame(protocol: number, payload: Uint8Array): void {
        const { call, link } = this.#protocols;
        if (!call.passesControl) return;
        const { identification } = link;
        link.onFrame(protocol, payload);
        if (link.identification !== identification) this.#tenure?.changed();
    }

    #onDecision(decision: Decision): void {
        if (decision.outcome === "admitted") return this.#onAdmitted(decision);
        if (this.#over) return;
        this.#protocols.call.resumeNegotiationTimer();
        const { link } = this.#protocols;
        link.authenticated(decision.outcome === "refused" ? { ...decision, outcome: "failure" } : decision);
    }

    #onAdmitted({ admission, message, hlak }: Extract<Decision, { outcome: "admitted" }>): void {
        const tenure = this.#tenureOf(admission);
        // It came too late, and holds an address all the same.
        if (this.#over) return tenure.end(this.#reason ?? "client-gone");
        this.mark("authenticated");
        this.#tenure = tenure;
        tenure.begin();
        const { call, link } = this.#protocols;
        link.authenticated({ outcome: "success", message });
        call.authenticated(hlak);
        this.#protocols.configureNetwork(admission.addresses);
    }

    #tenureOf(admission: Admission, inherited?: Inheritance): SessionTenure {
        const { timers, transport } = this;
        const expire = (reason: EndReason): boolean => this.end(reason);
        const owner = { timers, protocols: this.#protocols, path: this.#path, egress: this.#egress, expire };
        return new SessionTenure({ session: this.id, transport, admission }, owner, this.#ports, inherited);
    }

    #disconnectAfter(milliseconds: number): void {
        this.timers.start("terminate", milliseconds, () => this.guard(() => this.#protocols.call.disconnect()));
    }

    /** The stream's end brings the session's. */
    #abandon(reason: EndReason): void {
        this.#reason ??= reason;
        this.transport.stream.destroy();
    }

    #onFailure(error: unknown): void {
        if (error instanceof SstpError) return this.#protocols.call.onFramingLost(error);
        const failure = error instanceof PosternError ? error : new InvariantError("unexpected", { cause: error });
        this.#ports.log.error({ session: this.id, error: failure }, "a session failed and was ended");
        this.cut("internal-error");
    }
}
