// What both ends of a PPP link have in common, RFC 1661 §3.2: the phase, LCP, frames to whomever they are for, and the
// way out.  What happens while LCP is open is the role's.
import { InvariantError } from "@postern/errors";
import { negotiates } from "./automaton.ts";
import type { CloseReason, Closure } from "./closure.ts";
import { CODE, PROTOCOL } from "./constants.ts";
import { decodeControlPacket } from "./control-packet.ts";
import { PppError } from "./errors.ts";
import type { Lcp, LcpPorts } from "./lcp.ts";
import type { LinkPorts, TimerName } from "./link-ports.ts";
import type { FinishCause } from "./negotiation.ts";

/** RFC 1661 §3.2. */
export type LinkPhase = "dead" | "establish" | "authenticate" | "network" | "terminate";

/** Frames silently discarded: not decodable, of a protocol that this phase does not allow, or answering nothing. */
export type DiscardReason = "malformed" | "phase" | "unexpected";

/** What became of a frame; "unknown" protocols are answered with Protocol-Reject. */
export type FrameFate = "done" | "unknown" | Exclude<DiscardReason, "malformed">;

export interface Role {
    /** LCP has opened. */
    readonly established: () => void;
    /** LCP is not open any more: it will be again, or the link ends. */
    readonly interrupted: () => void;
    /** Whether the peer may negotiate an open LCP again; a role that says no ends the link itself. */
    readonly mayRenegotiate: () => boolean;
    /** Frames of every protocol but LCP. */
    readonly onFrame: (protocol: number, payload: Uint8Array) => FrameFate;
    /** Timers of every name but "lcp". */
    readonly onTimer: (name: TimerName) => void;
    readonly protocolRejected: (protocol: number) => void;
    readonly identified: (message: Uint8Array) => void;
    readonly echoReplied: () => void;
}

const TIMERS: readonly TimerName[] = ["lcp", "ipcp", "ipv6cp", "authentication", "echo"];

const REASON_OF: Readonly<Record<FinishCause, CloseReason>> = {
    timeout: "lcp-timeout",
    "not-converging": "lcp-not-converging",
    peer: "terminated-by-peer",
    refused: "lcp-refused",
    closed: "terminated-locally",
};

export class LinkCore {
    readonly lcp: Lcp;
    readonly discarded: Record<DiscardReason, number> = { malformed: 0, phase: 0, unexpected: 0 };
    readonly #ports: LinkPorts;
    readonly #sendFrame: (protocol: number, packet: Uint8Array) => void;
    readonly #role: Role;
    #phase: LinkPhase;
    #closure: Closure | undefined;
    #over = false;
    #depth = 0;
    #reports: (() => void)[] = [];

    constructor(
        ports: LinkPorts,
        sendFrame: (protocol: number, packet: Uint8Array) => void,
        role: Role,
        createLcp: (ports: LcpPorts) => Lcp,
        phase: LinkPhase = "dead",
    ) {
        this.#ports = ports;
        this.#sendFrame = sendFrame;
        this.#role = role;
        this.#phase = phase;
        this.lcp = createLcp({
            send: (packet) => this.#sendFrame(PROTOCOL.lcp, packet),
            startTimer: (milliseconds) => ports.startTimer("lcp", milliseconds),
            stopTimer: () => ports.stopTimer("lcp"),
            up: () => role.established(),
            down: () => this.#onLcpDown(),
            finished: (cause) => this.#onLcpFinished(cause),
            mayRenegotiate: role.mayRenegotiate,
            protocolRejected: (protocol) => {
                if (protocol === PROTOCOL.lcp) this.lcp.negotiation.protocolRejected();
                else role.protocolRejected(protocol);
            },
            identified: role.identified,
            echoReplied: role.echoReplied,
        });
    }

    get phase(): LinkPhase {
        return this.#phase;
    }

    /** The only writer of the phase. */
    enter(phase: LinkPhase): void {
        this.#phase = phase;
    }

    start(): void {
        if (this.#over || this.#phase !== "dead") throw new InvariantError(`link started in phase ${this.#phase}`);
        this.run(() => {
            this.enter("establish");
            this.lcp.negotiation.start();
        });
    }

    onFrame(protocol: number, payload: Uint8Array): void {
        if (this.#phase === "dead") this.discarded.phase += 1;
        else this.run(() => this.#receive(protocol, payload));
    }

    onTimer(name: TimerName): void {
        if (this.#phase === "dead") return;
        this.run(() => {
            if (name === "lcp") this.lcp.negotiation.onTimer();
            else this.#role.onTimer(name);
        });
    }

    /** Terminate-Request, and `closed` when the peer has answered or does not.  The first reason counts. */
    end(reason: CloseReason, detail: string): void {
        if (this.#over || this.#closure !== undefined) return;
        this.#closure = { reason, detail };
        if (this.#phase === "dead") return this.#finish(this.#closure);
        this.enter("terminate");
        this.lcp.negotiation.close();
    }

    /** The connection is gone. */
    down(): void {
        this.#over = true;
        this.enter("dead");
        this.#reports = [];
        for (const name of TIMERS) this.#ports.stopTimer(name);
    }

    /** Runs `action` and then, when nothing of the link is half done any more, delivers what it reported. */
    run(action: () => void): void {
        this.#depth += 1;
        try {
            action();
        } finally {
            this.#depth -= 1;
        }
        while (this.#depth === 0) {
            const report = this.#reports.shift();
            if (report === undefined) return;
            report();
        }
    }

    /** To be delivered by the `run` that is under way. */
    report(callback: () => void): void {
        this.#reports.push(callback);
    }

    #receive(protocol: number, payload: Uint8Array): void {
        try {
            const fate = protocol === PROTOCOL.lcp ? this.#onLcpFrame(payload) : this.#role.onFrame(protocol, payload);
            if (fate === "unknown") this.#onUnknownProtocol(protocol, payload);
            else if (fate !== "done") this.discarded[fate] += 1;
        } catch (error) {
            if (!(error instanceof PppError)) throw error;
            this.discarded.malformed += 1;
        }
    }

    #onLcpFrame(payload: Uint8Array): FrameFate {
        const packet = decodeControlPacket(payload);
        const fate = this.lcp.negotiation.onPacket(packet) ? "done" : "unexpected";
        if (packet.code === CODE.terminateRequest) this.#onGoodbye();
        return fate;
    }

    /** Terminate-Request has been acknowledged. */
    #onGoodbye(): void {
        this.#closure ??= {
            reason: "terminated-by-peer",
            detail: `Terminate-Request, LCP ${this.lcp.negotiation.state}`,
        };
        // From an open LCP the automaton waits a little for the peer to hang up.  Before that it would go on asking,
        // and nobody is left to answer.
        if (negotiates(this.lcp.negotiation.state)) this.#finish(this.#closure);
    }

    #onUnknownProtocol(protocol: number, payload: Uint8Array): void {
        if (this.lcp.opened) this.lcp.rejectProtocol(protocol, payload);
        else this.discarded.phase += 1;
    }

    #onLcpDown(): void {
        const { state } = this.lcp.negotiation;
        this.enter(state === "closing" || state === "stopping" ? "terminate" : "establish");
        this.#role.interrupted();
    }

    #onLcpFinished(cause: FinishCause): void {
        this.#finish(this.#closure ?? { reason: REASON_OF[cause], detail: `LCP ${cause}` });
    }

    #finish(closure: Closure): void {
        this.#over = true;
        this.enter("dead");
        for (const name of TIMERS) this.#ports.stopTimer(name);
        this.report(() => this.#ports.closed(closure));
    }
}
