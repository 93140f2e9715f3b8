// A session-worker: one TUN device, one listener, and the sessions between them.
import type { Stoppable } from "@postern/bus";
import type { SessionWorkerSection } from "@postern/config";
import { BUCKETS, type EndReason } from "@postern/contracts";
import { ConfigError, DependencyError } from "@postern/errors";
import { readKeyFile } from "@postern/sealing";
import { type Service, type ServiceContext, watchPaths } from "@postern/service";
import { type PathWatch, SocketTuner } from "@postern/tcp";
import { PeerLines } from "@postern/telemetry";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { AuthClient } from "./auth-client.ts";
import { CertificateStore } from "./certificates.ts";
import { watchCertificates } from "./certificate-watch.ts";
import { ConnectionTable } from "./connection-table.ts";
import { createUplink } from "./create-uplink.ts";
import { endAll, spreadOfStop } from "./drain.ts";
import { ADVERTISEMENT_INTERVAL } from "./ipv6-link.ts";
import { type Below, Listener } from "./listener.ts";
import { ProxySources } from "./proxy-sources.ts";
import { Session } from "./session.ts";
import { SessionDecider } from "./session-decision.ts";
import { createSessionId } from "./session-id.ts";
import { createSessionMetrics } from "./session-metrics.ts";
import type { SessionPorts, SessionTransport } from "./session-ports.ts";
import { SessionReport } from "./session-report.ts";
import { SessionRounds } from "./session-rounds.ts";
import { SessionTable } from "./session-table.ts";
import { Strangers } from "./strangers.ts";
import { sessionSettings, tlsOptions } from "./settings.ts";
import { TicketKeys } from "./ticket-keys.ts";
import { readTicketSecret, watchTicketSecret } from "./ticket-secret.ts";
import { platformClock, TimerWheel } from "./timer-wheel.ts";
import type { Uplink } from "./uplink.ts";
import { WorkerControl } from "./worker-control.ts";
import { createEntryMetrics, observeWorker } from "./worker-metrics.ts";
import { WorkerPresence } from "./worker-presence.ts";
import { WorkerReport } from "./worker-report.ts";

const VERSION = "0.1.0";
/** Milliseconds that ending sessions get beyond the time they are spread over. */
const FAREWELL = 5_000;
/** Milliseconds between two turns of looking at the paths to clients. */
const PATHS_TURN = 1_000;

const now = (): number => performance.now();
const wallClock = (): number => Date.now();

export class SessionWorker implements Service {
    readonly #context: ServiceContext<SessionWorkerSection>;
    readonly #sessions: SessionTable;
    readonly #strangers: Strangers;
    readonly #lines: PeerLines;
    readonly #wheel = new TimerWheel(platformClock);
    readonly #report: WorkerReport;
    readonly #paths: PathWatch;
    readonly #connections: ConnectionTable;
    /** What `stop` undoes, in reverse order. */
    readonly #undo = new AsyncDisposableStack();
    #listener: Listener | undefined;
    #presence: WorkerPresence | undefined;
    #decider: SessionDecider | undefined;
    #isFull = false;

    constructor(context: ServiceContext<SessionWorkerSection>) {
        const { section, events, log, instance: worker, epoch: workerEpoch } = context;
        const capacity = section.limits.sessions;
        this.#context = context;
        this.#sessions = new SessionTable(capacity);
        this.#strangers = new Strangers(section.limits.strangers);
        this.#lines = new PeerLines({ log });
        this.#report = new WorkerReport({ events, log, lines: this.#lines, worker, workerEpoch, capacity, now });
        this.#paths = watchPaths(context.metrics, section.tcp.sampleInterval);
        const principalOf = (session: string): string | undefined =>
            this.#sessions.get(session)?.facts?.admission.principal;
        this.#connections = new ConnectionTable({ paths: this.#paths, wallClock, principalOf });
        this.#undo.defer(() => this.#wheel.stop());
        this.#watchPaths();
    }

    async start(): Promise<void> {
        const { section, log, metrics } = this.#context;
        const { secret, ...tickets } = section.tls.tickets;
        const keys = new TicketKeys(await readTicketSecret(secret, log), tickets, wallClock);
        const certificates = new CertificateStore(section.tls.certificates, tlsOptions(section), keys);
        const uplink = createUplink(section, log);
        this.#undo.defer(() => uplink.stop());
        await uplink.start();
        log.info({ uplink: uplink.description }, "uplink ready");
        const listener = this.#createListener(certificates, await this.#sessionPorts(uplink));
        this.#undo.defer(() => listener.destroyAll());
        this.#listener = listener;
        const port = await listener.start();
        await this.#announce(port);
        this.#report.certificates(certificates.loaded);
        this.#undo.defer(
            watchCertificates(certificates, section.tls.reloadInterval, log, (loaded) =>
                this.#report.certificates(loaded),
            ),
        );
        if (secret !== undefined) this.#undo.defer(watchTicketSecret(secret, keys, section.tls.reloadInterval, log));
        observeWorker(metrics, { sessions: this.#sessions, listener, uplink, certificates, wallClock });
        const { host } = section.listen;
        log.info({ listen: `${host}:${port}`, capacity: section.limits.sessions }, "session-worker ready");
    }

    async stop(reason: string): Promise<void> {
        const { section, log } = this.#context;
        const patience = Math.min(FAREWELL, section.stopWithin / 4);
        log.info({ reason, sessions: this.#sessions.size }, "ending all sessions");
        this.#presence?.leave("stopping");
        // Refused connections go to another worker at once; accepted ones would be told 503.
        this.#listener?.stop();
        const spread = spreadOfStop(this.#sessions.size, section.stopWithin);
        await endAll({ sessions: this.#sessions, now }, "worker-stop", spread, patience);
        for (const session of this.#sessions.values()) session.cut("worker-stop");
        // What the registry has admitted meanwhile has to be ended, too.
        await Promise.race([this.#decider?.settled(), delay(patience, undefined, { ref: false })]);
        await this.#undo.disposeAsync();
        this.#lines.flush();
    }

    readiness(): string | undefined {
        const state = this.#presence?.state ?? "starting";
        if (state !== "ready") return state;
        return this.#context.events.accepting
            ? undefined
            : "the outbox is full: its disk has no room, or NATS does not take its events";
    }

    async #sessionPorts(uplink: Uplink): Promise<SessionPorts> {
        const { section, instance: worker, epoch: workerEpoch, bus, events, log, metrics, config } = this.#context;
        if (section.auth.brokerKey === undefined) {
            throw new ConfigError(
                "CONFIG_INVALID",
                "session-worker.auth.brokerKey: the brokers' public key file is needed",
            );
        }
        const auth = new AuthClient(bus, {
            worker,
            brokerKey: await readKeyFile(section.auth.brokerKey, "seal-public"),
        });
        const lines = this.#lines;
        const decider = new SessionDecider({ auth, bus, events, log, lines, worker, workerEpoch, now, wallClock });
        this.#decider = decider;
        const report = new SessionReport({
            bus,
            events,
            log,
            lines,
            metrics: createSessionMetrics(metrics),
            now,
            worker,
            offeredHashes: section.sstp.hashes === "sha256" ? ["sha256"] : ["sha1", "sha256"],
            path: (session) => this.#connections.path(session),
            end: (session, epoch, reason) => this.#end(session, epoch, reason),
        });
        this.#reportCounters(report);
        if (uplink.carriesIpv6) this.#goRound(ADVERTISEMENT_INTERVAL, (session) => session.advertise());
        return {
            settings: sessionSettings(section, config.name),
            wheel: this.#wheel,
            now,
            wallClock,
            random: Math.random,
            log,
            uplink,
            closed: (session) => this.#forget(session),
            decide: async (submission) => {
                this.#strangers.named(submission.session);
                const decision = await decider.decide(submission);
                if (decision.outcome === "admitted") this.#strangers.remove(submission.session);
                return decision;
            },
            report,
        };
    }

    #createListener(certificates: CertificateStore, ports: SessionPorts): Listener {
        const { section, log, metrics } = this.#context;
        const entryMetrics = createEntryMetrics(metrics);
        const tuner = new SocketTuner({ noDelay: true, ...section.tcp }, (reason) =>
            log.warn({ reason }, "sockets do not get all of session-worker.tcp"),
        );
        return new Listener(
            {
                ...section.listen,
                headerTimeout: section.proxy.headerTimeout,
                handshakeTimeout: section.sstp.handshakeTimeout,
                maxConnections: section.limits.connections,
            },
            {
                proxies: new ProxySources(section.proxy.from),
                certificates,
                wheel: this.#wheel,
                log,
                now,
                accepting: () => this.readiness() === undefined,
                tune: (socket) => tuner.tune(socket),
                onTransport: (transport, below) => this.#begin(transport, below, ports),
                onHandshake: (peer) => entryMetrics.began(peer),
                onSecured: (how) => entryMetrics.secured(how),
                onFailure: (failure) => {
                    entryMetrics.failed(failure);
                    this.#report.handshakeFailed(failure);
                },
                onAnswered: (status) => entryMetrics.answered(status),
                onDropped: () => entryMetrics.dropped(),
            },
        );
    }

    /** The listener asks whether there is room right before it calls this. */
    #begin(transport: SessionTransport, { socket, direct }: Below, ports: SessionPorts): void {
        const slot = this.#sessions.takeSlot();
        if (slot === undefined) return void transport.stream.destroy();
        const session = createSessionId();
        const displaced = this.#strangers.add(session);
        if (displaced !== undefined) this.#sessions.get(displaced)?.cut("negotiation-timeout");
        this.#connections.add(session, transport, socket, direct);
        this.#sessions.add(Session.negotiate(session, slot, transport, ports));
        this.#onSize();
    }

    #forget(session: string): void {
        this.#sessions.remove(session);
        this.#strangers.remove(session);
        this.#connections.remove(session);
        this.#onSize();
    }

    #onSize(): void {
        const { size, isFull } = this.#sessions;
        this.#report.sessions(size);
        if (isFull !== this.#isFull) this.#presence?.refresh();
        this.#isFull = isFull;
    }

    #end(id: string, epoch: number, reason: EndReason): void {
        const session = this.#sessions.get(id);
        if (session?.facts?.admission.epoch === epoch) session.end(reason);
    }

    #watchPaths(): void {
        const timer = this.#wheel.timer(() => {
            this.#paths.turn(PATHS_TURN);
            timer.start(PATHS_TURN);
        });
        timer.start(PATHS_TURN);
    }

    #reportCounters(report: SessionReport): void {
        this.#goRound(this.#context.section.updateInterval, ({ facts, counters }) => {
            if (facts !== undefined) report.updated(facts, counters);
        });
    }

    /** Every open session has its turn once an interval. */
    #goRound(interval: number, visit: (session: Session) => void): void {
        const rounds = new SessionRounds(interval, () => this.#sessions.values(), visit);
        const timer = setInterval(() => rounds.step(), rounds.interval);
        this.#undo.defer(() => clearInterval(timer));
    }

    async #announce(port: number): Promise<void> {
        const { bus, instance: worker, epoch, section, log } = this.#context;
        const { host } = section.listen;
        const reachable = section.advertise ?? (host === "0.0.0.0" || host === "::" ? hostname() : host);
        const presence = new WorkerPresence({
            bucket: await bus.bucket(BUCKETS.workers),
            log,
            heartbeat: section.heartbeat,
            sessions: () => this.#sessions.size,
            identity: {
                worker,
                epoch,
                host: hostname(),
                endpoint: { host: reachable, port },
                capacity: section.limits.sessions,
                version: VERSION,
            },
        });
        this.#undo.defer(() => this.#withdraw(presence));
        const control = new WorkerControl({
            worker,
            epoch,
            sessions: this.#sessions,
            connections: this.#connections,
            presence,
            log,
            drain: (seconds, by) => this.#drain(presence, seconds, by),
        });
        const answering: readonly Stoppable[] = await control.answer(bus);
        this.#undo.defer(async () => void (await Promise.all(answering.map((one) => one.stop()))));
        this.#presence = presence;
        await presence.start();
    }

    #drain(presence: WorkerPresence, seconds: number | undefined, by: string): void {
        if (presence.state === "stopping") return;
        if (presence.state !== "draining") {
            presence.leave("draining");
            this.#report.draining(this.#sessions.size, by);
        }
        if (seconds === undefined) return;
        endAll({ sessions: this.#sessions, now }, "worker-drain", seconds * 1_000, FAREWELL).catch((error: unknown) =>
            this.#context.log.error({ error }, "a drain did not finish"),
        );
    }

    async #withdraw(presence: WorkerPresence): Promise<void> {
        try {
            await presence.stop();
        } catch (error) {
            if (!(error instanceof DependencyError)) throw error;
            this.#context.log.warn(
                { error: error.message },
                "this worker's record could not be removed; it will expire",
            );
        }
    }
}
