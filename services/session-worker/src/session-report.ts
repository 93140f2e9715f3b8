// What a worker tells the world about its sessions: events through the outbox, snapshots and fencing through the registry.
import type { Bus } from "@postern/bus";
import {
    bindingFailed,
    registrySnapshot,
    sessionEnded,
    sessionStarted,
    sessionUpdated,
    type Counters,
    type EndReason,
    type PathFigures,
    type SessionSnapshot,
} from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { Events } from "@postern/service";
import { type Logger, type PeerLines, RateLimit } from "@postern/telemetry";
import { bindingDetail } from "./end-reason.ts";
import type { SessionFacts, SessionReporter, SessionTransport } from "./session-ports.ts";
import type { SessionMetrics } from "./session-metrics.ts";

export interface ReportPorts {
    readonly bus: Pick<Bus, "ask" | "subjects">;
    readonly events: Pick<Events, "append" | "emit">;
    readonly log: Pick<Logger, "error" | "info" | "warn">;
    readonly lines: Pick<PeerLines, "add">;
    /** Monotonic milliseconds. */
    readonly now: () => number;
    readonly metrics: SessionMetrics;
    readonly worker: string;
    readonly offeredHashes: readonly ("sha1" | "sha256")[];
    /** What the path to the client is or was like, where no ingress knows it. */
    readonly path: (session: string) => PathFigures | undefined;
    /** Ends a session that must not go on, if it still has this epoch. */
    readonly end: (session: string, epoch: number, reason: EndReason) => void;
}

/** Bindings of clients that nobody knows that get an event, a second and at once; all are counted. */
const BINDINGS_PER_SECOND = 1;
const BINDINGS_BURST = 100;

export class SessionReport implements SessionReporter {
    readonly #ports: ReportPorts;
    readonly #strangersBindings: RateLimit;

    constructor(ports: ReportPorts) {
        this.#ports = ports;
        this.#strangersBindings = new RateLimit(BINDINGS_PER_SECOND, BINDINGS_BURST, ports.now);
    }

    started(facts: SessionFacts, details: Parameters<SessionReporter["started"]>[1]): void {
        const { transport, admission, session } = facts;
        const { events, metrics, log, end } = this.#ports;
        const { bindingHash, clientInformation, correlationId } = details;
        const setupMilliseconds = stepsOf(transport);
        const { tls, client } = transport;
        metrics.started(setupMilliseconds);
        const started = {
            ...this.#identityOf(facts),
            client,
            address: admission.addresses.address,
            ...(admission.addresses.ipv6 === undefined ? {} : { ipv6Prefix: admission.addresses.ipv6.prefix }),
            method: admission.method,
            groups: [...admission.groups],
            tls,
            bindingHash,
            clientInformation: clientInformation.map((text) => text.slice(0, 200)),
            ...(correlationId === undefined ? {} : { correlationId }),
            setupMilliseconds,
        };
        log.info({ session, principal: admission.principal, client, address: started.address }, "session started");
        events.append(sessionStarted, session, started).catch((error: unknown) => {
            // Nobody would ever know of it.
            log.error({ error, session }, "a session whose beginning cannot be recorded is ended");
            end(session, admission.epoch, "internal-error");
        });
    }

    ended(facts: SessionFacts, { reason, startedAt, counters }: Parameters<SessionReporter["ended"]>[1]): void {
        const { session, transport, admission } = facts;
        const { worker, events, metrics, log } = this.#ports;
        const at = new Date().toISOString();
        const { client } = transport;
        const { address } = admission.addresses;
        const figures = this.#ports.path(session);
        const path = figures === undefined ? {} : { path: figures };
        metrics.ended(reason);
        const { principal } = admission;
        log.info({ session, principal, client, address, reason, counters, ...path }, "session ended");
        const ended = {
            ...this.#identityOf(facts),
            address,
            client,
            reason,
            startedAt: startedAt.toISOString(),
            endedAt: at,
            counters,
            exact: true,
            ...path,
        };
        const admittedAt = new Date(admission.admittedAt).toISOString();
        const claim = { session, epoch: admission.epoch, by: worker, reason, exact: true, at, counters, admittedAt };
        this.#keep(events.append(sessionEnded, session, ended, claim));
    }

    gaveUp(
        session: string,
        { client, connection }: SessionTransport,
        why: Parameters<SessionReporter["gaveUp"]>[2],
    ): void {
        const { metrics, lines } = this.#ports;
        metrics.gaveUp(why.reason);
        lines.add(`a client did not get in: ${why.reason}`, client.address, { session, connection, client, ...why });
    }

    bindingFailed(
        session: string,
        { client }: SessionTransport,
        { identity, reason, admitted }: Parameters<SessionReporter["bindingFailed"]>[2],
    ): void {
        const { worker, offeredHashes, lines, events, metrics } = this.#ports;
        const failure = { session, client, identity: identity.slice(0, 256), reason, detail: bindingDetail(reason) };
        metrics.bindingFailed(reason);
        lines.add(`crypto binding refused: ${reason}`, client.address, failure);
        // Anybody can send a wrong one; only a verified user's is a fact that must not be missing.
        if (!admitted && !this.#strangersBindings.take()) return;
        this.#keep(events.append(bindingFailed, session, { ...failure, worker, offeredHashes: [...offeredHashes] }));
    }

    async storeSnapshot(facts: SessionFacts, snapshot: SessionSnapshot, counters: Counters): Promise<boolean> {
        const { bus, worker, log, end } = this.#ports;
        const { session, admission } = facts;
        const { epoch } = admission;
        try {
            const question = { session, worker, epoch, snapshot, counters };
            const { outcome } = await bus.ask(bus.subjects.registry.snapshot, registrySnapshot, question);
            if (outcome === "fenced") end(session, epoch, "fenced");
            if (outcome === "unknown") log.warn({ session }, "the registry does not know a session of this worker");
            return true;
        } catch (error) {
            // Without a snapshot the session lives on; only its hand-over is lost until the next one.
            if (error instanceof DependencyError)
                log.warn({ session, error: error.message }, "a snapshot was not stored");
            else log.error({ session, error }, "a snapshot was not stored");
            return !(error instanceof DependencyError);
        }
    }

    /** Not durable: the totals come with the end. */
    updated(facts: SessionFacts, counters: Counters): void {
        this.#ports.events.emit(sessionUpdated, facts.session, {
            ...this.#identityOf(facts),
            address: facts.admission.addresses.address,
            counters,
        });
    }

    #identityOf({ session, admission }: SessionFacts) {
        const { epoch: sessionEpoch, principal } = admission;
        return { session, sessionEpoch, worker: this.#ports.worker, principal };
    }

    #keep(done: Promise<void>): void {
        done.catch((error: unknown) => this.#ports.log.error({ error }, "an event could not be kept"));
    }
}

/** Milliseconds from the accept to each step, to a tenth. */
function stepsOf({ steps }: SessionTransport): Record<string, number> {
    const accepted = steps.get("accepted") ?? 0;
    const later = [...steps].filter(([step]) => step !== "accepted");
    return Object.fromEntries(later.map(([step, at]) => [step, Math.round((at - accepted) * 10) / 10]));
}
