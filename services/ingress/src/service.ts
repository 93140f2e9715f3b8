// An ingress: listening sockets on one side, the fleet of workers on the other.
import type { IngressSection } from "@postern/config";
import type { Stoppable } from "@postern/bus";
import {
    BUCKETS,
    connectionClosed,
    connectionOpened,
    connectionsDescribe,
    ingressRejected,
    type RejectReason,
} from "@postern/contracts";
import { type Service, type ServiceContext, watchPaths } from "@postern/service";
import { type PathWatch, SocketTuner } from "@postern/tcp";
import { PeerLines, RateLimit } from "@postern/telemetry";
import { setTimeout as delay } from "node:timers/promises";
import { BanList } from "./ban-list.ts";
import type { BalancerPolicy } from "./balancer-policy.ts";
import { ConnectionTable } from "./connection-table.ts";
import { HealthProbe } from "./health-probe.ts";
import { createIngressMetrics, type IngressMetrics } from "./ingress-metrics.ts";
import { LeastSessions } from "./least-sessions.ts";
import { type ConnectionEnd, Listener, type Placed } from "./listener.ts";
import { Maglev } from "./maglev.ts";
import { ProxyLink } from "./proxy-link.ts";
import { Rejections, summarize } from "./rejections.ts";
import { SourceLimiter } from "./source-limiter.ts";
import { WorkerDirectory } from "./worker-directory.ts";

const POLICIES: Readonly<Record<IngressSection["balance"], () => BalancerPolicy>> = {
    "least-sessions": () => new LeastSessions(),
    maglev: () => new Maglev(),
};

/** Milliseconds between two turns of looking at the paths to clients. */
const TICK = 1_000;
/** Turns between summaries of refused connections. */
const REJECTION_WINDOW = 10;
/** Seconds of `limits.connectionEvents` that may come at once. */
const EVENTS_BURST = 10;

export class Ingress implements Service {
    readonly #context: ServiceContext<IngressSection>;
    readonly #metrics: IngressMetrics;
    readonly #directory: WorkerDirectory;
    readonly #listener: Listener;
    readonly #sources: SourceLimiter;
    readonly #bans = new BanList(() => Date.now());
    readonly #rejections = new Rejections();
    readonly #lines: PeerLines;
    /** Of `connection.opened`, and for each one of `connection.closed`: nobody may fill the stream with connections. */
    readonly #told: RateLimit;
    readonly #toldOf = new Set<string>();
    readonly #paths: PathWatch;
    readonly #connections: ConnectionTable;
    #isListening = false;
    #ticks = 0;
    #ticked = performance.now();
    #timer: NodeJS.Timeout | undefined;
    #answering: Stoppable | undefined;

    constructor(context: ServiceContext<IngressSection>) {
        const { section, log } = context;
        const { connectionEvents } = section.limits;
        this.#context = context;
        this.#lines = new PeerLines({ log });
        this.#sources = new SourceLimiter(section.limits, () => performance.now());
        this.#told = new RateLimit(connectionEvents, EVENTS_BURST * connectionEvents, () => performance.now());
        this.#metrics = createIngressMetrics(context.metrics);
        this.#paths = watchPaths(context.metrics, section.tcp.sampleInterval);
        this.#connections = new ConnectionTable(this.#paths, () => Date.now());
        this.#directory = new WorkerDirectory(
            { ...section.health, lostAfter: section.lostAfter },
            {
                createProbe: () => new HealthProbe(),
                log,
                now: () => performance.now(),
                onLost: (worker) => {
                    log.warn({ worker }, "worker is lost: its connections are closed");
                    this.#listener.closeLinks(worker, "worker-lost");
                },
            },
        );
        this.#listener = this.#createListener();
    }

    async start(): Promise<void> {
        const { bus, log, instance } = this.#context;
        await this.#bans.start(await bus.bucket(BUCKETS.bans));
        await this.#directory.start(await bus.bucket(BUCKETS.workers));
        await this.#listener.start();
        this.#isListening = true;
        this.#answering = await bus.answer(
            bus.subjects.ingress(instance, "connections"),
            connectionsDescribe,
            async (question) => this.#connections.describe(question),
        );
        this.#timer = setInterval(() => this.#tick(), TICK);
        this.#metrics.observe({ listener: this.#listener, sources: this.#sources, directory: this.#directory });
        log.info({ listen: this.#listener.addresses() }, "ingress ready");
    }

    async stop(reason: string): Promise<void> {
        this.#context.log.info({ reason, connections: this.#listener.links }, "stopping");
        this.#isListening = false;
        this.#listener.stopAccepting();
        await this.#drained();
        await this.#listener.closeAll("ingress-stop");
        clearInterval(this.#timer);
        await this.#answering?.stop();
        this.#publishRejections();
        this.#lines.flush();
        this.#directory.stop();
        this.#bans.stop();
    }

    readiness(): string | undefined {
        if (!this.#isListening) return "not listening";
        return this.#directory.summary().usable === 0 ? "no worker takes connections" : undefined;
    }

    #createListener(): Listener {
        const { section, log } = this.#context;
        const { connectTimeout, answerTimeout, limits, proxy, tcp } = section;
        const complain = (reason: string): void => log.warn({ reason }, "sockets do not get all of ingress.tcp");
        const clients = new SocketTuner({ noDelay: true, ...tcp }, complain);
        const workers = new SocketTuner({ noDelay: true, ...tcp, receiveBuffer: section.linkBuffer }, complain);
        return new Listener(
            {
                listen: section.listen,
                proxyFrom: proxy.from,
                headerTimeout: proxy.headerTimeout,
                firstByteTimeout: limits.firstByte,
                maxConnections: limits.connections,
            },
            {
                policy: POLICIES[section.balance](),
                directory: this.#directory,
                link: new ProxyLink({
                    connectTimeout,
                    answerTimeout,
                    idleTimeout: limits.idle,
                    tune: (socket) => workers.tune(socket),
                }),
                bans: this.#bans,
                sources: this.#sources,
                log,
                connections: this.#connections,
                tune: (socket) => clients.tune(socket),
                onRetry: (worker) => this.#metrics.retried(worker),
                onRejected: (source, reason) => this.#onRejected(source, reason),
                onSilent: () => this.#metrics.silent(),
                onOpened: (placed) => this.#onOpened(placed),
                onClosed: (placed, end, milliseconds) => this.#onClosed(placed, end, milliseconds),
            },
        );
    }

    /** Connections may end by themselves, when workers stop at the same time, for half of the time that a stop may take. */
    async #drained(): Promise<void> {
        const deadline = performance.now() + this.#context.section.stopWithin / 2;
        while (this.#listener.links > 0 && performance.now() < deadline) await delay(50);
    }

    #onRejected(source: string, reason: RejectReason): void {
        this.#metrics.rejected(reason);
        this.#rejections.add(source, reason);
    }

    #onOpened(placed: Placed): void {
        const { events, instance: ingress, section } = this.#context;
        const { connection, client } = placed;
        this.#metrics.opened();
        this.#lines.add("connection opened", client.address, placed);
        if (!isSampled(connection, section.sampleEvents) || !this.#told.take()) return;
        this.#toldOf.add(connection);
        events.emit(connectionOpened, connection, { ...placed, ingress });
    }

    #onClosed(placed: Placed, end: ConnectionEnd, elapsed: number): void {
        const { events, instance: ingress } = this.#context;
        const { connection, client } = placed;
        const record = { ...placed, ...end, milliseconds: Math.round(elapsed) };
        this.#metrics.closed(end);
        this.#lines.add("connection closed", client.address, record);
        if (this.#toldOf.delete(connection)) events.emit(connectionClosed, connection, { ...record, ingress });
    }

    #tick(): void {
        const now = performance.now();
        this.#paths.turn(now - this.#ticked);
        this.#ticked = now;
        this.#ticks += 1;
        if (this.#ticks % REJECTION_WINDOW === 0) this.#publishRejections();
    }

    #publishRejections(): void {
        const { events, instance: ingress, log } = this.#context;
        const rejections = this.#rejections.take();
        for (const { advice, ...summary } of summarize(rejections)) log.warn(summary, `connections refused: ${advice}`);
        for (const { source, reason, count, firstAt } of rejections) {
            events
                .append(ingressRejected, source, { ingress, source, reason, count, firstAt: firstAt.toISOString() })
                .catch((error: unknown) => log.error({ error }, "an event could not be kept"));
        }
    }
}

/** A connection's id is random hexadecimal. */
const isSampled = (connection: string, oneIn: number): boolean =>
    Number.parseInt(connection.slice(0, 8), 16) % oneIn === 0;
