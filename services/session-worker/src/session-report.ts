// What a worker tells the world about its sessions: events through the outbox, snapshots and fencing through the registry.
import type { Bus } from "@postern/bus";
import {
    bindingFailed,
    registrySnapshot,
    sessionEnded,
    sessionStarted,
    sessionUpdated,
    type Counters,
} from "@postern/contracts";
import { DependencyError } from "@postern/errors";
import type { Events } from "@postern/service";
import type { Logger } from "@postern/telemetry";
import { bindingDetail } from "./end-reason.ts";
import type { SessionFacts, SessionPorts } from "./session-ports.ts";

export interface ReportPorts {
    readonly bus: Pick<Bus, "ask" | "subjects">;
    readonly events: Events;
    readonly log: Logger;
    readonly worker: string;
    readonly offeredHashes: readonly ("sha1" | "sha256")[];
    /** Somebody else owns the session now. */
    readonly fenced: (session: string) => void;
}

const identityOf = ({ session, admission }: SessionFacts, worker: string) => ({
    session,
    sessionEpoch: admission.epoch,
    worker,
    principal: admission.principal,
});

export class SessionReport {
    readonly #ports: ReportPorts;

    constructor(ports: ReportPorts) {
        this.#ports = ports;
    }

    readonly started: SessionPorts["report"]["started"] = (facts, { bindingHash, clientInformation }) => {
        const { transport, admission } = facts;
        const accepted = transport.steps.get("accepted") ?? 0;
        const steps = [...transport.steps].filter(([step]) => step !== "accepted");
        this.#keep(
            this.#ports.events.append(sessionStarted, facts.session, {
                ...identityOf(facts, this.#ports.worker),
                client: transport.client,
                address: admission.addresses.address,
                method: admission.method,
                groups: [...admission.groups],
                tls: transport.tls,
                bindingHash,
                clientInformation: clientInformation.map((text) => text.slice(0, 200)),
                ...(transport.correlationId === undefined ? {} : { correlationId: transport.correlationId }),
                setupMilliseconds: Object.fromEntries(
                    steps.map(([step, at]) => [step, Math.round((at - accepted) * 10) / 10]),
                ),
            }),
        );
    };

    readonly ended: SessionPorts["report"]["ended"] = (facts, { reason, startedAt, counters }) => {
        const { session, transport, admission } = facts;
        const { worker } = this.#ports;
        const at = new Date().toISOString();
        this.#keep(
            this.#ports.events.append(
                sessionEnded,
                session,
                {
                    ...identityOf(facts, worker),
                    address: admission.addresses.address,
                    client: transport.client,
                    reason,
                    startedAt: startedAt.toISOString(),
                    endedAt: at,
                    counters,
                    exact: true,
                },
                { session, epoch: admission.epoch, by: worker, reason, exact: true, at, counters },
            ),
        );
    };

    readonly bindingFailed: SessionPorts["report"]["bindingFailed"] = (session, { client }, { identity, reason }) => {
        const { worker, offeredHashes, log, events } = this.#ports;
        const failure = { session, client, identity, reason, detail: bindingDetail(reason) };
        log.warn(failure, "crypto binding refused");
        this.#keep(events.append(bindingFailed, session, { ...failure, worker, offeredHashes: [...offeredHashes] }));
    };

    readonly snapshot: SessionPorts["report"]["snapshot"] = (facts, snapshot, counters) => {
        const { bus, worker, log, fenced } = this.#ports;
        const question = { session: facts.session, worker, epoch: facts.admission.epoch, snapshot, counters };
        bus.ask(bus.subjects.registry.snapshot, registrySnapshot, question).then(
            ({ outcome }) => {
                if (outcome === "fenced") fenced(facts.session);
            },
            (error: unknown) => {
                // Without a snapshot the session lives on; only its hand-over is lost until the next one.
                if (error instanceof DependencyError)
                    log.warn({ session: facts.session, error: error.message }, "a snapshot was not stored");
                else log.error({ session: facts.session, error }, "a snapshot was not stored");
            },
        );
    };

    /** Not durable: the totals come with the end. */
    updated(facts: SessionFacts, counters: Counters): void {
        const { events, worker } = this.#ports;
        events.emit(sessionUpdated, facts.session, {
            ...identityOf(facts, worker),
            address: facts.admission.addresses.address,
            counters,
        });
    }

    #keep(done: Promise<void>): void {
        done.catch((error: unknown) => this.#ports.log.error({ error }, "an event could not be kept"));
    }
}
