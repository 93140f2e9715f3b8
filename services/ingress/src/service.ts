// An ingress: listening sockets on one side, the fleet of workers on the other.
import type { IngressSection } from "@postern/config";
import { BUCKETS, connectionClosed, connectionOpened, ingressRejected, type RejectReason } from "@postern/contracts";
import type { Service, ServiceContext } from "@postern/service";
import { setTimeout as delay } from "node:timers/promises";
import { BanList } from "./ban-list.ts";
import type { BalancerPolicy } from "./balancer-policy.ts";
import { HealthProbe } from "./health-probe.ts";
import { createIngressMetrics, type IngressMetrics } from "./ingress-metrics.ts";
import { LeastSessions } from "./least-sessions.ts";
import type { LinkEnd } from "./link.ts";
import { Listener, type Placed } from "./listener.ts";
import { Maglev } from "./maglev.ts";
import { ProxyLink } from "./proxy-link.ts";
import { Rejections } from "./rejections.ts";
import { SourceLimiter } from "./source-limiter.ts";
import { WorkerDirectory } from "./worker-directory.ts";

const POLICIES: Readonly<Record<IngressSection["balance"], () => BalancerPolicy>> = {
    "least-sessions": () => new LeastSessions(),
    maglev: () => new Maglev(),
};

/** Milliseconds between summaries of refused connections. */
const REJECTION_WINDOW = 10_000;

export class Ingress implements Service {
    readonly #context: ServiceContext<IngressSection>;
    readonly #metrics: IngressMetrics;
    readonly #directory: WorkerDirectory;
    readonly #listener: Listener;
    readonly #bans = new BanList(() => Date.now());
    readonly #rejections = new Rejections();
    #isListening = false;
    #summaries: NodeJS.Timeout | undefined;

    constructor(context: ServiceContext<IngressSection>) {
        const { section, log } = context;
        this.#context = context;
        this.#metrics = createIngressMetrics(context.metrics);
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
        const { bus, log } = this.#context;
        await this.#bans.start(await bus.bucket(BUCKETS.bans));
        await this.#directory.start(await bus.bucket(BUCKETS.workers));
        await this.#listener.start();
        this.#isListening = true;
        this.#summaries = setInterval(() => this.#publishRejections(), REJECTION_WINDOW);
        this.#metrics.observe(this.#listener, this.#directory);
        log.info({ listen: this.#listener.addresses() }, "ingress ready");
    }

    async stop(reason: string): Promise<void> {
        this.#context.log.info({ reason, connections: this.#listener.links }, "stopping");
        this.#isListening = false;
        this.#listener.stopAccepting();
        await this.#drained();
        await this.#listener.closeAll("ingress-stop");
        clearInterval(this.#summaries);
        this.#publishRejections();
        this.#directory.stop();
        this.#bans.stop();
    }

    readiness(): string | undefined {
        if (!this.#isListening) return "not listening";
        return this.#directory.summary().usable === 0 ? "no worker takes connections" : undefined;
    }

    #createListener(): Listener {
        const { section, log } = this.#context;
        const { connectTimeout, answerTimeout, limits, proxy } = section;
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
                link: new ProxyLink({ connectTimeout, answerTimeout, idleTimeout: limits.idle }),
                bans: this.#bans,
                sources: new SourceLimiter(limits, () => performance.now()),
                log,
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
        const { events, instance: ingress, log, section } = this.#context;
        this.#metrics.opened();
        log.info(placed, "connection opened");
        if (isSampled(placed.connection, section.sampleEvents))
            events.emit(connectionOpened, placed.connection, { ...placed, ingress });
    }

    #onClosed(placed: Placed, end: LinkEnd, elapsed: number): void {
        const { events, instance: ingress, log, section } = this.#context;
        const record = { ...placed, ...end, milliseconds: Math.round(elapsed) };
        this.#metrics.closed(end);
        log.info(record, "connection closed");
        if (isSampled(placed.connection, section.sampleEvents))
            events.emit(connectionClosed, placed.connection, { ...record, ingress });
    }

    #publishRejections(): void {
        const { events, instance: ingress, log } = this.#context;
        for (const { source, reason, count, firstAt } of this.#rejections.take()) {
            log.warn({ source, reason, count }, "connections refused");
            events
                .append(ingressRejected, source, { ingress, source, reason, count, firstAt: firstAt.toISOString() })
                .catch((error: unknown) => log.error({ error }, "an event could not be kept"));
        }
    }
}

/** The same answer at both ends of a connection's life; its id is random hexadecimal. */
const isSampled = (connection: string, oneIn: number): boolean =>
    Number.parseInt(connection.slice(0, 8), 16) % oneIn === 0;
