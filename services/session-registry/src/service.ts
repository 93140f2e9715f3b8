// session-registry put together: the buckets, the registry over them, its questions and its rounds.
import { BUCKETS } from "@postern/contracts";
import type { SessionRegistrySection } from "@postern/config";
import type { Stoppable } from "@postern/bus";
import type { Service, ServiceContext } from "@postern/service";
import { answerQuestions } from "./answers.ts";
import { systemClock } from "./clock.ts";
import { Periodic } from "./periodic.ts";
import { createRegistryMetrics } from "./registry-metrics.ts";
import { createRegistry, TICK, type Registry, type RegistryBuckets } from "./registry.ts";
import { askWorkers } from "./worker-questions.ts";

export async function createService(context: ServiceContext<SessionRegistrySection>): Promise<Service> {
    const { instance, config, section, log, bus, events } = context;
    const clock = systemClock;
    const random = Math.random;
    const metrics = createRegistryMetrics(context.metrics);
    const registry = createRegistry({
        instance,
        settings: section,
        workerTtl: config.bus.workerTtl,
        buckets: await openBuckets(context),
        events,
        questions: askWorkers(bus),
        busStatus: bus.status,
        metrics,
        log,
        clock,
        random,
    });

    const periodic = (what: string, interval: number, task: () => Promise<void>): Periodic =>
        new Periodic(
            { clock, random, onFailure: (error) => log.warn({ error, what }, "a round failed") },
            interval,
            task,
        );
    const present = (): string[] => [...registry.liveness.records.all()].map(({ entry }) => entry.key);
    const rounds = [
        periodic("liveness", TICK, async () => {
            await registry.liveness.tick();
            reportLevels(registry, metrics);
        }),
        periodic("rebuilding", TICK, () => registry.rebuilding.look()),
        periodic("reaper", section.reaper.every, () => registry.reaper.round()),
        periodic("reconciliation", section.worker.reconcileEvery, () => registry.reconciliation.compareAll(present())),
    ];
    const reconcileNow = rounds.at(-1);

    let answering: Stoppable | undefined;
    let forgetStatus: (() => void) | undefined;
    let stopped = false;
    return {
        async start() {
            forgetStatus = bus.onStatus((status) => {
                registry.continuity.onStatus(status);
                // Workers confirm their sessions after an outage.
                if (status.connected && !stopped) void reconcileNow?.now();
            });
            await registry.start();
            if (stopped) return;
            answering = await answerQuestions({
                bus,
                registry,
                metrics,
                log,
                clock,
                concurrency: section.limits.questions,
            });
            for (const round of rounds) round.start();
        },
        async stop() {
            stopped = true;
            forgetStatus?.();
            await answering?.stop();
            await Promise.all(rounds.map((round) => round.stop()));
            registry.stop();
        },
        readiness: () => (bus.status.connected ? undefined : "the bus is gone"),
    };
}

async function openBuckets({ bus }: ServiceContext<SessionRegistrySection>): Promise<RegistryBuckets> {
    const [sessions, leases, users, workers, fleet, bans] = await Promise.all([
        bus.bucket(BUCKETS.sessions),
        bus.bucket(BUCKETS.leases),
        bus.bucket(BUCKETS.users),
        bus.bucket(BUCKETS.workers),
        bus.bucket(BUCKETS.fleet),
        bus.bucket(BUCKETS.bans),
    ]);
    return { sessions, leases, users, workers, fleet, bans };
}

function reportLevels({ sessions, pools, fleet }: Registry, metrics: ReturnType<typeof createRegistryMetrics>): void {
    const byWorker = new Map([...sessions.workers()].map((worker) => [worker, sessions.of(worker).length]));
    const byState = new Map<string, number>();
    for (const { entry } of fleet.records.all())
        byState.set(entry.value.state, (byState.get(entry.value.state) ?? 0) + 1);
    metrics.levels(byWorker, pools.counts(), byState);
}
