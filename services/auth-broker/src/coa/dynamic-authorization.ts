// A dynamic authorization server, RFC 5176: from a datagram to the one that answers it.  Whoever cannot show that he knows the
// secret gets no answer, and neither does a request that is too old or too young.
import {
    ATTRIBUTE,
    CODE,
    encodeReply,
    integerAttribute,
    oneValue,
    openSignedRequest,
    RadiusError,
    readInteger,
    type MessageAuthenticatorRule,
    type Packet,
    type RadiusDigests,
} from "@postern/radius";
import { DependencyError } from "@postern/errors";
import type { Logger, PeerLines } from "@postern/telemetry";
import type { Clock } from "../clock.ts";
import type { ClientList } from "./client-list.ts";
import type { DynamicMetrics, IgnoredReason } from "./dynamic-metrics.ts";
import { isDynamicRequest, readRequest } from "./dynamic-request.ts";
import type { DynamicAnswer, RequestClaims } from "./request-claims.ts";
import type { SessionEffects } from "./session-effects.ts";
import type { TargetRules } from "./session-target.ts";

export interface DynamicRules {
    readonly target: TargetRules;
    readonly messageAuthenticator: MessageAuthenticatorRule;
    /** Milliseconds, either way. */
    readonly window: number;
    readonly timestampRequired: boolean;
    /** Milliseconds for which a request without Event-Timestamp is remembered. */
    readonly repeatsKept: number;
    /** Requests at once. */
    readonly outstanding: number;
}

export interface DynamicPorts {
    readonly clock: Pick<Clock, "now">;
    readonly rules: DynamicRules;
    readonly clients: Pick<ClientList, "secretOf">;
    readonly digests: RadiusDigests;
    readonly claims: RequestClaims;
    readonly effects: Pick<SessionEffects, "perform">;
    readonly metrics: DynamicMetrics;
    readonly log: Pick<Logger, "info" | "error">;
    readonly lines: Pick<PeerLines, "add">;
}

/** An authentic request, in time. */
interface Accepted {
    readonly request: Packet;
    readonly secret: Uint8Array;
    readonly hasTimestamp: boolean;
}

export class DynamicAuthorization {
    readonly #ports: DynamicPorts;
    #outstanding = 0;

    constructor(ports: DynamicPorts) {
        this.#ports = ports;
    }

    /** The datagram that answers this one, or `undefined`: none does.  Never rejects. */
    async answer(datagram: Uint8Array, source: string): Promise<Uint8Array | undefined> {
        const accepted = this.#accept(datagram, source);
        if (accepted === undefined) return undefined;
        if (this.#outstanding >= this.#ports.rules.outstanding) return this.#ignore("overloaded", source, "");
        this.#outstanding += 1;
        try {
            const answer = await this.#decide(accepted, source);
            return answer && this.#encode(accepted, answer);
        } catch (error) {
            // It comes again: a client repeats what nobody answers.
            if (error instanceof DependencyError) return this.#ignore("unavailable", source, error.message);
            this.#ports.log.error({ source, error }, "a RADIUS request to end or change a session failed");
            return undefined;
        } finally {
            this.#outstanding -= 1;
        }
    }

    #accept(datagram: Uint8Array, source: string): Accepted | undefined {
        const { clients, digests, rules } = this.#ports;
        const secret = clients.secretOf(source);
        if (secret === undefined) return this.#ignore("unknown-source", source, "no entry of clients has it");
        try {
            const request = openSignedRequest(datagram, secret, digests, rules.messageAuthenticator);
            if (!isDynamicRequest(request)) return this.#ignore("not-a-request", source, `code ${request.code}`);
            const stamp = oneValue(request.attributes, ATTRIBUTE.eventTimestamp);
            const stale = this.#wrongTime(stamp && readInteger(stamp));
            if (stale !== undefined) return this.#ignore("timestamp", source, stale);
            return { request, secret, hasTimestamp: stamp !== undefined };
        } catch (error) {
            if (!(error instanceof RadiusError)) throw error;
            return this.#ignore(
                error.code === "RADIUS_NOT_AUTHENTIC" ? "not-authentic" : "malformed",
                source,
                error.message,
            );
        }
    }

    /** `stamp`: seconds since 1970 (RFC 2869 §5.3). */
    #wrongTime(stamp: number | undefined): string | undefined {
        const { clock, rules } = this.#ports;
        if (stamp === undefined) return rules.timestampRequired ? "no Event-Timestamp" : undefined;
        const off = stamp * 1_000 - clock.now();
        return Math.abs(off) > rules.window ? `Event-Timestamp is ${Math.round(off / 1_000)} s off` : undefined;
    }

    async #decide({ request, hasTimestamp }: Accepted, source: string): Promise<DynamicAnswer | undefined> {
        const { claims, metrics, rules } = this.#ports;
        const claim = await claims.take(request);
        if (claim === "in-progress") return this.#ignore("in-progress", source, "another copy is being worked at");
        if ("outcome" in claim) {
            metrics.repeated();
            return claim;
        }
        let answer: DynamicAnswer;
        try {
            answer = await this.#perform(request, source);
        } catch (error) {
            await claims.release(claim);
            throw error;
        }
        // From twice the window on, its own timestamp refuses a replay.
        const kept = hasTimestamp ? 2 * rules.window : rules.repeatsKept;
        await claims.settle(claim, answer, Math.ceil(kept / 1_000) + 1);
        return answer;
    }

    async #perform(request: Packet, source: string): Promise<DynamicAnswer> {
        const { effects, metrics, rules, log } = this.#ports;
        const asked = readRequest(request, rules.target);
        const done = "refused" in asked ? asked : await effects.perform(asked, `RADIUS client ${source}`);
        if (typeof done === "number") {
            log.info({ source, request: "disconnect", sessions: done }, "done for a RADIUS client");
            metrics.answered("disconnect", "ack");
            return { outcome: "ack" };
        }
        const { refused, detail } = done;
        log.info({ source, request: "disconnect", errorCause: refused, detail }, "refused to a RADIUS client");
        metrics.answered("disconnect", String(refused));
        return { outcome: "nak", errorCause: refused };
    }

    /** RFC 5176 §3.1: Proxy-State comes back as it was, in its order. */
    #encode({ request, secret }: Accepted, answer: DynamicAnswer): Uint8Array {
        const ack = answer.outcome === "ack";
        const attributes = [
            ...(ack ? [] : [integerAttribute(ATTRIBUTE.errorCause, answer.errorCause)]),
            ...request.attributes.filter(({ type }) => type === ATTRIBUTE.proxyState),
        ];
        const code = ack ? CODE.disconnectAck : CODE.disconnectNak;
        return encodeReply({ code, attributes }, request, secret, this.#ports.digests);
    }

    #ignore(reason: IgnoredReason, source: string, detail: string): undefined {
        this.#ports.metrics.ignored(reason);
        this.#ports.lines.add("a RADIUS request to end or change a session is ignored", source, {
            source,
            reason,
            detail,
        });
    }
}
