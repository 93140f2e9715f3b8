// One source port or connection: up to 256 requests that wait, and the replies to them.
import { CODE, encodeRandomRequest, encodeSignedRequest, openReply, RadiusError, type Packet } from "@postern/radius";
import type { RadiusRequest, SocketOutcome } from "./exchange.ts";
import { Identifiers } from "./identifiers.ts";
import type { IgnoredReason, RadiusObserver } from "./observer.ts";
import type { Cancel, ClientPorts } from "./ports.ts";
import { radiusDigests } from "./radius-digests.ts";
import type { ReplyRule } from "./reply-rule.ts";
import type { ClientSocket, ServerAddress } from "./client-socket.ts";

export interface RequestSocketOptions {
    /** In what is told: `host:port`. */
    readonly name: string;
    readonly address: ServerAddress;
    readonly secret: Uint8Array;
    /** Milliseconds to the first retransmission; the time doubles. */
    readonly retransmit: number;
    readonly rule: ReplyRule;
    readonly ports: ClientPorts;
    readonly observer: RadiusObserver;
}

interface Waiting {
    readonly authenticator: Uint8Array;
    readonly replies: readonly number[];
    readonly sentAt: number;
    readonly end: (outcome: SocketOutcome) => void;
}

const AUTHENTICATOR_SIZE = 16;
const AUTHENTICATOR_AT = 4;
const IDENTIFIER_AT = 1;
/** The longest between two transmissions, milliseconds: MRT of RFC 5080 §2.2.1. */
const MAX_INTERVAL = 16_000;
/** For how long an identifier is not used again when its request was not answered, milliseconds. */
const REST = 30_000;

export class RequestSocket {
    readonly #options: RequestSocketOptions;
    readonly #onClosed: () => void;
    readonly #socket: ClientSocket;
    readonly #identifiers = new Identifiers();
    readonly #waiting = new Map<number, Waiting>();

    constructor(options: RequestSocketOptions, onClosed: () => void) {
        this.#options = options;
        this.#onClosed = onClosed;
        this.#socket = options.ports.openSocket(options.address, {
            onMessage: (bytes) => this.#onMessage(bytes),
            onError: (error) => this.close(error),
        });
    }

    takeRested(): number | undefined {
        return this.#identifiers.take(this.#options.ports.now());
    }

    takeAny(): number | undefined {
        return this.#identifiers.takeAny(this.#options.ports.now());
    }

    /** `identifier`: one that was taken.  Never rejects. */
    async exchange(request: RadiusRequest, identifier: number, signal: AbortSignal): Promise<SocketOutcome> {
        const { ports, name, observer } = this.#options;
        const { bytes, authenticator } = this.#encode(request, identifier);
        const { promise, resolve: end } = Promise.withResolvers<SocketOutcome>();
        const onAbort = (): void => end({ kind: "ended" });
        signal.addEventListener("abort", onAbort, { once: true });
        this.#waiting.set(identifier, { authenticator, replies: request.replies, sentAt: ports.now(), end });
        observer.onRequest(name);
        const stop = this.#transmit(bytes);
        const outcome = await promise;
        stop();
        signal.removeEventListener("abort", onAbort);
        this.#waiting.delete(identifier);
        if (outcome.kind === "reply") this.#identifiers.release(identifier);
        else this.#identifiers.rest(identifier, ports.now() + REST);
        return outcome;
    }

    /** Everything that waits ends as unreachable, or as lost with the connection; idempotent. */
    close(error: Error): void {
        this.#socket.close();
        this.#onClosed();
        const kind = this.#socket.wasConnected ? "lost" : "unreachable";
        for (const { end } of this.#waiting.values()) end({ kind, error });
    }

    /** Sends at once, and over UDP the very same bytes again after `retransmit`, twice that, and so on. */
    #transmit(bytes: Uint8Array): Cancel {
        const { ports, name, observer, retransmit } = this.#options;
        if (this.#socket.isReliable) {
            this.#socket.send(bytes);
            return () => undefined;
        }
        let interval = retransmit;
        let cancel = ports.after(interval, again);
        const socket = this.#socket;
        socket.send(bytes);
        function again(): void {
            observer.onRetransmission(name);
            interval = Math.min(MAX_INTERVAL, interval * 2);
            cancel = ports.after(interval, again);
            socket.send(bytes);
        }
        return () => cancel();
    }

    #encode(
        request: RadiusRequest,
        identifier: number,
    ): { readonly bytes: Uint8Array; readonly authenticator: Uint8Array } {
        const { secret, ports } = this.#options;
        if (request.code === CODE.accountingRequest) {
            const packet = { code: request.code, identifier, attributes: request.attributes() };
            const bytes = encodeSignedRequest(packet, secret, radiusDigests);
            return { bytes, authenticator: bytes.subarray(AUTHENTICATOR_AT, AUTHENTICATOR_AT + AUTHENTICATOR_SIZE) };
        }
        const authenticator = ports.randomBytes(AUTHENTICATOR_SIZE);
        const attributes = request.attributes({ authenticator, secret });
        const packet = { code: request.code, identifier, authenticator, attributes };
        return { bytes: encodeRandomRequest(packet, secret, radiusDigests), authenticator };
    }

    /** RFC 2865 §3: what does not verify is silently discarded, and the request waits on. */
    #onMessage(bytes: Uint8Array): void {
        const { secret, rule, name, ports, observer } = this.#options;
        const waiting = this.#waiting.get(bytes[IDENTIFIER_AT] ?? -1);
        if (waiting === undefined) return this.#ignore("unexpected", "nobody waits for a reply of this identifier");
        const { authenticator, replies, sentAt, end } = waiting;
        let packet: Packet;
        try {
            const identifier = bytes[IDENTIFIER_AT] ?? -1;
            packet = openReply(bytes, { identifier, authenticator }, secret, radiusDigests, rule.current);
        } catch (error) {
            if (!(error instanceof RadiusError)) throw error;
            return this.#ignore(error.code === "RADIUS_NOT_AUTHENTIC" ? "not-authentic" : "malformed", error.message);
        }
        if (!replies.includes(packet.code)) return this.#ignore("wrong-code", `a reply with code ${packet.code}`);
        rule.onVerified(packet);
        observer.onReply(name, packet.code, ports.now() - sentAt);
        end({ kind: "reply", reply: { server: name, packet, authenticator, secret } });
    }

    #ignore(reason: IgnoredReason, detail: string): void {
        this.#options.observer.onIgnored(this.#options.name, reason, detail);
    }
}
