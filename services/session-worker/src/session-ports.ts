// What a session needs from its worker, and what it is told about its transport.
import type {
    BindingFailureReason,
    ClientEndpoint,
    Counters,
    EndReason,
    SessionAddresses,
    SessionSnapshot,
} from "@postern/contracts";
import type { AuthenticationAttempt, AuthenticationMethod, MschapFailure } from "@postern/ppp";
import type { CertificateHashes, OfferedHashProtocols } from "@postern/sstp";
import type { Logger } from "@postern/telemetry";
import type { Duplex } from "node:stream";
import type { EgressLimits } from "./egress-queue.ts";
import type { InboundBatch } from "./inbound-batch.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import type { Uplink } from "./uplink.ts";

/** A stream whose peer asked for SSTP and was told 200.  Who terminated TLS, and where, is not the session's business. */
export interface SessionTransport {
    readonly stream: Duplex;
    readonly client: ClientEndpoint;
    readonly connection: string;
    /** Every certificate that the client may have been shown. */
    readonly certificates: readonly CertificateHashes[];
    readonly tls: { readonly version: string; readonly cipher: string; readonly serverName?: string };
    readonly correlationId: string | undefined;
    /** Monotonic milliseconds by step, from `accepted` on. */
    readonly steps: Map<string, number>;
}

export interface SessionSettings {
    readonly methods: readonly AuthenticationMethod[];
    readonly serverName: string;
    readonly hashProtocols: OfferedHashProtocols;
    readonly negotiationTimeout: number;
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
    /** Milliseconds; `undefined`: no limit. */
    readonly sessionTimeout: number | undefined;
    readonly idleTimeout: number | undefined;
}

/** What brokers and registry decided about one attempt; what the client is told follows from it. */
export type Decision =
    | {
          readonly outcome: "admitted";
          readonly admission: Admission;
          readonly message: string;
          readonly hlak: Uint8Array | undefined;
      }
    | { readonly outcome: "refused"; readonly failure: MschapFailure }
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
}

export interface SessionPorts {
    readonly settings: SessionSettings;
    readonly wheel: TimerWheel;
    /** Monotonic milliseconds. */
    readonly now: () => number;
    readonly log: Logger;
    readonly uplink: Pick<Uplink, "attach" | "detach" | "write">;
    readonly batch: InboundBatch;
    /** The session is over and its stream closed: forget it. */
    readonly closed: (session: string) => void;
    /** Never rejects for what brokers, registry or bus do. */
    readonly decide: (
        session: string,
        transport: SessionTransport,
        number: number,
        attempt: AuthenticationAttempt,
        signal: AbortSignal,
    ) => Promise<Decision>;
    readonly report: {
        readonly started: (
            facts: SessionFacts,
            details: { bindingHash: "sha1" | "sha256"; clientInformation: readonly string[] },
        ) => void;
        readonly ended: (facts: SessionFacts, end: { reason: EndReason; startedAt: Date; counters: Counters }) => void;
        readonly bindingFailed: (
            session: string,
            transport: SessionTransport,
            failure: { identity: string; reason: BindingFailureReason },
        ) => void;
        /** Snapshot and counters to the registry. */
        readonly snapshot: (facts: SessionFacts, snapshot: SessionSnapshot, counters: Counters) => void;
    };
}
