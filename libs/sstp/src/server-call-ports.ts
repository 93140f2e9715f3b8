// What a server call needs from its surroundings and gives to them: the layers below and above of [MS-SSTP] 3.3.
import type { CallEnd } from "./call-end.ts";
import type { OfferedHashProtocols, TimerName } from "./constants.ts";
import type { CertificateHashes, Digests } from "./crypto-binding.ts";

/** What a call does to the world.  Every method is synchronous and may read the call, not drive it. */
export interface ServerCallPorts {
    /** Monotonic milliseconds. */
    now(): number;
    /** Sends a whole control packet; the memory is the receiver's. */
    send(packet: Uint8Array): void;
    /** Starts, or starts again, the timer; its expiry is reported by `onTimer`. */
    startTimer(name: TimerName, milliseconds: number): void;
    stopTimer(name: TimerName): void;
    /** PPP may begin: the Ack is sent ([MS-SSTP] 3.1.7.1 "Lower Link Up"). */
    lowerLinkUp(): void;
    /** The crypto binding is verified: IP packets may flow, both ways. */
    openDataGate(): void;
    /** PPP is over, though the connection lives on for the farewell ("Lower Link Down").  Only after `lowerLinkUp`. */
    lowerLinkDown(end: CallEnd): void;
    /** The call is over: flush, then close the connection.  The last thing a call does. */
    close(end: CallEnd): void;
}

/** Durations, in milliseconds.  To spread the echoes of many calls, give each its own `helloInterval`. */
export interface ServerCallTiming {
    /** For the Call Connect Request, and again for the rest of the negotiation; default 60 000. */
    readonly negotiationTimeout?: number;
    /** Of silence before an echo request, and again before the call is given up; default 60 000. */
    readonly helloInterval?: number;
}

/** What a new call is made of. */
export interface ServerCallOptions extends ServerCallTiming {
    readonly digests: Digests;
    /** 32 octets from a cryptographic random generator, of this connection alone. */
    readonly nonce: Uint8Array;
    /** Every certificate that this client may have been shown; at least one. */
    readonly certificates: readonly CertificateHashes[];
    /** Default 3: SHA-1 and SHA-256. */
    readonly hashProtocols?: OfferedHashProtocols;
}

/** What a connected call needs to go on elsewhere.  Plain JSON, nothing secret. */
export interface CallSnapshot {
    readonly state: "call-connected";
    readonly bindingDone: true;
    /** The Cert Hash field with which the client proved what it had seen, in hexadecimal. */
    readonly certificateHash: string;
}
