// What a TCP socket is told to do: tcp(7), RFC 5482 for the user timeout, RFC 9293 §3.8.4 for keepalive.
import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import { OPTIONS, type TcpAvailability, tcpAvailability, UNCHANGED } from "./addon.ts";
import { descriptorOf } from "./socket-descriptor.ts";

/** What is left out stays as it is.  Times are milliseconds. */
export interface TcpOptions {
    /** Small writes go out at once instead of waiting for an acknowledgement. */
    readonly noDelay?: boolean;
    /** A peer that says nothing for `idle` is asked every `interval`; the kernel counts in whole seconds. */
    readonly keepAlive?: { readonly idle: number; readonly interval: number; readonly probes: number };
    /**
     * How long data may stay unacknowledged, keepalive probes unanswered, or the peer's window closed, until the kernel gives
     * the connection up; 0 leaves it to the system's number of retries.
     */
    readonly userTimeout?: number;
    /** Bytes that the kernel takes beyond what it has sent already; the send buffer itself is left to the kernel. */
    readonly notSentLowat?: number;
    /**
     * Bytes that the kernel keeps of what came and was not read: the window that the peer sees is about as large.  It bounds the rate to
     * this much in a round trip; without it the kernel lets the buffer grow with the rate, and never shrink.
     */
    readonly receiveBuffer?: number;
}

export type TuneOutcome =
    | { readonly kind: "tuned" }
    | { readonly kind: "closed" }
    /** Only a part of the options, or none, is in force. */
    | { readonly kind: "limited"; readonly reason: string };

const values = new Int32Array(OPTIONS.length);

/** Sets options of an open socket, with one call into the addon; without it, those that Node can set. */
export function tune(socket: Socket, options: TcpOptions, tcp: TcpAvailability = tcpAvailability()): TuneOutcome {
    const descriptor = descriptorOf(socket);
    if (descriptor === undefined) return { kind: "closed" };
    if (tcp.kind === "unavailable") return setWithNode(socket, options, tcp.reason);
    const { noDelay, keepAlive, userTimeout, notSentLowat, receiveBuffer } = options;
    values.set([
        noDelay === undefined ? UNCHANGED : Number(noDelay),
        keepAlive === undefined ? UNCHANGED : 1,
        seconds(keepAlive?.idle),
        seconds(keepAlive?.interval),
        keepAlive?.probes ?? UNCHANGED,
        userTimeout ?? UNCHANGED,
        notSentLowat ?? UNCHANGED,
        receiveBuffer ?? UNCHANGED,
    ]);
    const errno = tcp.addon.tune(descriptor, values);
    return errno === 0
        ? { kind: "tuned" }
        : { kind: "limited", reason: `the kernel refuses an option: ${getSystemErrorName(errno)}` };
}

const seconds = (milliseconds: number | undefined): number =>
    milliseconds === undefined ? UNCHANGED : Math.max(1, Math.round(milliseconds / 1_000));

function setWithNode(socket: Socket, { noDelay, keepAlive, ...others }: TcpOptions, reason: string): TuneOutcome {
    if (noDelay !== undefined) socket.setNoDelay(noDelay);
    if (keepAlive !== undefined) socket.setKeepAlive(true, keepAlive.idle, keepAlive.interval, keepAlive.probes);
    const isComplete = (others.userTimeout ?? others.notSentLowat ?? others.receiveBuffer) === undefined;
    return isComplete ? { kind: "tuned" } : { kind: "limited", reason };
}
