// A session-worker: one TUN device, one listener, and the sessions between them.
import type { Stoppable } from "@postern/bus";
import type { SessionWorkerSection } from "@postern/config";
import { BUCKETS, certificateLoaded, handshakeFailed, workerDraining, workerFull } from "@postern/contracts";
import { ConfigError, DependencyError } from "@postern/errors";
import { readKeyFile } from "@postern/sealing";
import type { Service, ServiceContext } from "@postern/service";
import { hostname } from "node:os";
import { AuthClient } from "./auth-client.ts";
import { CertificateStore, type LoadedCertificate } from "./certificates.ts";
import { watchCertificates } from "./certificate-watch.ts";
import { endAll } from "./drain.ts";
import { InboundBatch } from "./inbound-batch.ts";
import { type HandshakeFailure, Listener } from "./listener.ts";
import { observeWorker } from "./worker-metrics.ts";
import { ProxySources } from "./proxy-source.ts";
import { Session } from "./session.ts";
import { SessionDecider } from "./session-decision.ts";
import { createSessionId } from "./session-id.ts";
import type { SessionPorts, SessionTransport } from "./session-ports.ts";
import { SessionReport } from "./session-report.ts";
import { sessionSettings, tlsOptions } from "./settings.ts";
import { SessionTable } from "./session-table.ts";
import { platformClock, TimerWheel } from "./timer-wheel.ts";
import { createUplink } from "./create-uplink.ts";
import type { Uplink } from "./uplink.ts";
import { answerControl } from "./worker-control.ts";
import { WorkerPresence } from "./worker-presence.ts";

const VERSION = "0.1.0";
/** Milliseconds that ending sessions get beyond the time they are spread over. */
const FAREWELL = 5_000;

export class SessionWorker implements Service {
    readonly #context: ServiceContext<SessionWorkerSection>;
    readonly #sessions: SessionTable;
    readonly #wheel = new TimerWheel(platformClock);
    #uplink: Uplink | undefined;
    #listener: Listener | undefined;
    #presence: WorkerPresence | undefined;
    #control: readonly Stoppable[] = [];
    #stopWatching: () => void = () => undefined;
    #updates: NodeJS.Timeout | undefined;
    #report: SessionReport | undefined;
    #wasFull = false;

    constructor(context: ServiceContext<SessionWorkerSection>) {
        this.#context = context;
        this.#sessions = new SessionTable(context.section.limits.sessions);
    }

    async start(): Promise<void> {
        const { section, log, metrics, instance } = this.#context;
        const certificates = new CertificateStore(section.tls.certificates, tlsOptions(section), () =>
            performance.now(),
        );
        const uplink = createUplink(section, instance, log);
        this.#uplink = uplink;
        await uplink.start((slot, run) => this.#sessions.deliver(slot, run));
        log.info({ uplink: uplink.description }, "uplink ready");
        const ports = await this.#sessionPorts(uplink);
        const listener = this.#createListener(certificates, ports);
        this.#listener = listener;
        const port = await listener.start();
        await this.#announce(port);
        this.#announceCertificates(certificates.loaded);
        this.#stopWatching = watchCertificates(section.tls, certificates, log, (loaded) =>
            this.#announceCertificates(loaded),
        );
        this.#updates = setInterval(() => this.#reportCounters(), section.updateInterval);
        observeWorker(metrics, { sessions: this.#sessions, listener, uplink, certificates });
        log.info(
            { listen: `${section.listen.host}:${port}`, capacity: section.limits.sessions },
            "session-worker ready",
        );
    }

    async stop(reason: string): Promise<void> {
        const { section, log } = this.#context;
        log.info({ reason, sessions: this.#sessions.size }, "ending all sessions");
        clearInterval(this.#updates);
        this.#stopWatching();
        this.#listener?.stop();
        this.#presence?.drain("stopping");
        await endAll(this.#sessions, "worker-stop", 0, Math.min(FAREWELL, section.stopWithin / 2));
        for (const session of this.#sessions.values()) session.cut("worker-stop");
        await Promise.all(this.#control.map((answering) => answering.stop()));
        await this.#leave();
        this.#listener?.destroyAll();
        await this.#uplink?.stop();
        this.#wheel.stop();
    }

    readiness(): string | undefined {
        const state = this.#presence?.state;
        if (state === undefined) return "starting";
        return state === "ready" ? undefined : state;
    }

    get #accepting(): boolean {
        // Without room for the event that a session ended, none may begin.
        return this.#presence?.state === "ready" && this.#context.events.accepting;
    }

    async #sessionPorts(uplink: Uplink): Promise<SessionPorts> {
        const { section, instance, epoch, bus, events, log, config } = this.#context;
        if (section.auth.brokerKey === undefined) {
            throw new ConfigError(
                "CONFIG_INVALID",
                "session-worker.auth.brokerKey: the brokers' public key file is needed",
            );
        }
        const auth = new AuthClient(bus, {
            worker: instance,
            brokerKey: await readKeyFile(section.auth.brokerKey, "seal-public"),
        });
        const decider = new SessionDecider({ auth, bus, events, log, worker: instance, workerEpoch: epoch });
        const settings = sessionSettings(section, config.name);
        this.#report = new SessionReport({
            bus,
            events,
            log,
            worker: instance,
            offeredHashes: section.sstp.hashes === "sha256" ? ["sha256"] : ["sha1", "sha256"],
            fenced: (session) => this.#sessions.get(session)?.end("fenced"),
        });
        return {
            settings,
            wheel: this.#wheel,
            now: () => performance.now(),
            log,
            uplink,
            batch: new InboundBatch(uplink),
            closed: (session) => this.#forget(session),
            decide: (session, transport, number, attempt, signal) =>
                decider.decide(session, transport, number, attempt, signal),
            report: this.#report,
        };
    }

    #createListener(certificates: CertificateStore, ports: SessionPorts): Listener {
        const { section, log } = this.#context;
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
                now: () => performance.now(),
                accepting: () => this.#accepting,
                onTransport: (transport) => this.#begin(transport, ports),
                onFailure: (failure) => this.#onHandshakeFailure(failure),
            },
        );
    }

    #begin(transport: SessionTransport, ports: SessionPorts): void {
        const slot = this.#sessions.takeSlot();
        if (slot === undefined) {
            transport.stream.destroy();
            return;
        }
        const session = Session.negotiate(createSessionId(), slot, transport, ports);
        this.#sessions.add(session);
        if (this.#sessions.isFull) this.#onFull();
    }

    #forget(session: string): void {
        this.#sessions.remove(session);
        if (!this.#wasFull || this.#sessions.isFull) return;
        this.#wasFull = false;
        this.#presence?.refresh();
    }

    #onFull(): void {
        const { instance: worker, epoch: workerEpoch, events, section, log } = this.#context;
        if (this.#wasFull) return;
        this.#wasFull = true;
        this.#presence?.refresh();
        const { size: sessions } = this.#sessions;
        this.#keep(
            events.append(workerFull, worker, { worker, workerEpoch, sessions, capacity: section.limits.sessions }),
        );
        log.warn({ sessions }, "this worker is full");
    }

    async #announce(port: number): Promise<void> {
        const { bus, instance, epoch, section, log } = this.#context;
        const { host } = section.listen;
        const reachable = section.advertise ?? (host === "0.0.0.0" || host === "::" ? hostname() : host);
        this.#presence = new WorkerPresence({
            bucket: await bus.bucket(BUCKETS.workers),
            log,
            heartbeat: section.heartbeat,
            sessions: () => this.#sessions.size,
            identity: {
                worker: instance,
                epoch,
                host: hostname(),
                endpoint: { host: reachable, port },
                capacity: section.limits.sessions,
                version: VERSION,
            },
        });
        this.#control = await answerControl({
            bus,
            worker: instance,
            epoch,
            sessions: this.#sessions,
            presence: this.#presence,
            log,
            drain: (seconds, by) => this.#drain(seconds, by),
        });
        await this.#presence.start();
    }

    #drain(seconds: number | undefined, by: string): void {
        const { instance: worker, epoch: workerEpoch, events } = this.#context;
        if (this.#presence?.state === "draining" || this.#presence?.state === "stopping") return;
        this.#presence?.drain("draining");
        this.#keep(events.append(workerDraining, worker, { worker, workerEpoch, sessions: this.#sessions.size, by }));
        if (seconds !== undefined) this.#keep(endAll(this.#sessions, "worker-drain", seconds, FAREWELL));
    }

    async #leave(): Promise<void> {
        try {
            await this.#presence?.stop();
        } catch (error) {
            if (!(error instanceof DependencyError)) throw error;
            this.#context.log.warn(
                { error: error.message },
                "this worker's record could not be removed; it will expire",
            );
        }
    }

    #onHandshakeFailure(failure: HandshakeFailure): void {
        const { events, instance: worker, log } = this.#context;
        const { clientHello, ...rest } = failure;
        log.info({ ...rest, clientHello }, "handshake failed");
        events.emit(handshakeFailed, worker, {
            ...rest,
            worker,
            ...(clientHello === undefined
                ? {}
                : {
                      clientHello: {
                          versions: [...clientHello.versions],
                          ...(clientHello.serverName === undefined ? {} : { serverName: clientHello.serverName }),
                          ciphers: clientHello.ciphers.slice(0, 64),
                          alpn: clientHello.alpn.slice(0, 16),
                      },
                  }),
        });
    }

    #announceCertificates(loaded: readonly LoadedCertificate[]): void {
        const { events, instance: worker, log } = this.#context;
        for (const { names, sha256, algorithm, notAfter } of loaded) {
            log.info({ names, sha256, algorithm, notAfter }, "serving certificate");
            this.#keep(
                events.append(certificateLoaded, worker, {
                    worker,
                    names: [...names],
                    sha256,
                    algorithm,
                    notAfter: notAfter.toISOString(),
                }),
            );
        }
    }

    #reportCounters(): void {
        for (const session of this.#sessions.values()) {
            if (session.facts !== undefined) this.#report?.updated(session.facts, { ...session.counters });
        }
    }

    #keep(done: Promise<void>): void {
        done.catch((error: unknown) => this.#context.log.error({ error }, "an event could not be kept"));
    }
}
