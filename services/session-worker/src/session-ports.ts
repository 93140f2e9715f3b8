// What a session needs from its worker, and what it is told about its transport.
import type {
    BindingFailureReason,
    ClientEndpoint,
    Counters,
    EndReason,
    Policy,
    SessionAddresses,
    SessionSnapshot,
} from "@postern/contracts";
import type { AuthenticationAttempt, AuthenticationMethod, MschapFailure } from "@postern/ppp";
import type { CertificateHashes, OfferedHashProtocols } from "@postern/sstp";
import type { Logger } from "@postern/telemetry";
import type { Duplex } from "node:stream";
import type { EgressLimits } from "./egress-queue.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import type { Uplink } from "./uplink.ts";

/** A stream whose peer asked for SSTP and was told 200.  Who terminated TLS, and where, is not the session's business. */
export interface SessionTransport {
    readonly stream: Duplex;
    readonly client: ClientEndpoint;
    readonly connection: string;
    /** Every certificate that the client may have been shown. */
    readonly certificates: readonly CertificateHashes[];
    readonly tls: {
        readonly version: string;
        readonly cipher: string;
        readonly resumed: boolean;
        readonly serverName?: string;
    };
    readonly correlationId: string | undefined;
    /** Monotonic milliseconds by step, from `accepted` on. */
    readonly steps: Map<string, number>;
}

export interface SessionSettings {
    readonly methods: readonly AuthenticationMethod[];
    readonly serverName: string;
    readonly hashProtocols: OfferedHashProtocols;
    readonly negotiationTimeout: number;
    /** SSTP packets that a client may send before its binding is verified. */
    readonly negotiationPackets: number;
    readonly hello: number;
    readonly terminateTimeout: number;
    readonly authTimeout: number;
    readonly maxAttempts: number;
    readonly mtu: number;
    readonly gateway: string;
    readonly egress: EgressLimits;
}

/** What the registry granted. */
export interface Admission {
    readonly epoch: number;
    readonly principal: string;
    readonly groups: readonly string[];
    readonly addresses: SessionAddresses;
    readonly method: AuthenticationMethod;
    readonly policy: Policy;
    /** Wall-clock milliseconds. */
    readonly admittedAt: number;
    /** Milliseconds; `undefined`: no limit. */
    readonly sessionTimeout: number | undefined;
    readonly idleTimeout: number | undefined;
}

/** A login in the memory of one broker replica, which has set the client a challenge. */
export interface OpenConversation {
    readonly conversation: string;
    readonly replica: string;
}

/** One attempt of a client to prove who it is. */
export interface Submission {
    readonly session: string;
    readonly transport: SessionTransport;
    /** Counts the attempts of the session from 1; each EAP Response is one. */
    readonly number: number;
    readonly attempt: AuthenticationAttempt;
    /** The conversation whose challenge this answers, if it is one. */
    readonly conversation: OpenConversation | undefined;
    /** Aborted when nobody waits for a decision any more. */
    readonly signal: AbortSignal;
}

/** What brokers and registry decided about one attempt; what the client is told follows from it. */
export type Decision =
    | {
          readonly outcome: "admitted";
          readonly admission: Admission;
          readonly message: string;
          readonly hlak: Uint8Array | undefined;
      }
    | {
          readonly outcome: "refused";
          readonly failure: MschapFailure;
          /** EAP: a last Request that tells the client why. */
          readonly eapRequest?: Uint8Array;
          /** Where the next attempt has to go. */
          readonly conversation?: OpenConversation;
      }
    | {
          readonly outcome: "eap-request";
          readonly packet: Uint8Array;
          /** Milliseconds for which the client's answer may take before the Request is repeated. */
          readonly timeoutMs?: number;
          /** Where the answer has to go. */
          readonly conversation: OpenConversation;
      }
    | { readonly outcome: "challenge-again" };

/** Facts about a session for the rest of the world. */
export interface SessionFacts {
    readonly session: string;
    readonly transport: SessionTransport;
    readonly admission: Admission;
}

/** What another worker needs to go on with a session at the very byte where this one stopped. */
export interface HandOver {
    readonly facts: SessionFacts;
    readonly snapshot: SessionSnapshot;
    /** The beginning of a packet whose rest has not been read yet. */
    readonly tail: Uint8Array;
    readonly startedAt: Date;
    /** Of the whole session so far. */
    readonly counters: Counters;
}

/** What a session tells the rest of the world. */
export interface SessionReporter {
    /** The client can send and receive IP packets. */
    started(
        facts: SessionFacts,
        details: {
            readonly bindingHash: "sha1" | "sha256";
            readonly clientInformation: readonly string[];
            readonly correlationId: string | undefined;
        },
    ): void;
    /** Exactly once for every session that was admitted. */
    ended(
        facts: SessionFacts,
        end: { readonly reason: EndReason; readonly startedAt: Date; readonly counters: Counters },
    ): void;
    /** Of a session that never was admitted. */
    gaveUp(
        session: string,
        transport: SessionTransport,
        why: { readonly reason: string; readonly detail: string },
    ): void;
    bindingFailed(
        session: string,
        transport: SessionTransport,
        failure: {
            readonly identity: string;
            readonly reason: BindingFailureReason;
            readonly admitted: boolean;
        },
    ): void;
    /** Resolves with whether it need not be tried again; never rejects. */
    storeSnapshot(facts: SessionFacts, snapshot: SessionSnapshot, counters: Counters): Promise<boolean>;
}

export interface SessionPorts {
    readonly settings: SessionSettings;
    readonly wheel: TimerWheel;
    /** Monotonic milliseconds. */
    readonly now: () => number;
    /** Wall-clock milliseconds. */
    readonly wallClock: () => number;
    /** Uniform in [0, 1); spreads what many sessions would do at the same time. */
    readonly random: () => number;
    readonly log: Pick<Logger, "error" | "info" | "debug">;
    readonly uplink: Pick<Uplink, "path" | "carriesIpv6">;
    /** The session is over and its stream closed, or it goes on elsewhere: forget it. */
    readonly closed: (session: string) => void;
    /** Never rejects for what brokers, registry or bus do. */
    readonly decide: (submission: Submission) => Promise<Decision>;
    readonly report: SessionReporter;
}
