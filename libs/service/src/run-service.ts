// The life of a service's process: configuration, admin listener, bus, outbox, the service itself; and the same backwards.
import { connectBus } from "@postern/bus";
import { loadConfig, type Config } from "@postern/config";
import type { ServiceName } from "@postern/contracts";
import { ConfigError } from "@postern/errors";
import { createLogger, createMetrics, type Logger } from "@postern/telemetry";
import { startAdminListener } from "./admin-listener.ts";
import { parseCommandLine } from "./command-line.ts";
import { busMetrics } from "./bus-metrics.ts";
import { openEventLog } from "./event-log.ts";
import type { Service, ServiceContext } from "./service.ts";
import { listenForStop } from "./stop-requests.ts";

/** Exit statuses; the launcher and service managers tell them apart. */
const FAILED = 1;
const BAD_CONFIG = 78;

type Create<Section> = (context: ServiceContext<Section>) => Service | Promise<Service>;

/**
 * Runs a service until it is told to stop, then ends the process: status 0 after a clean stop, 1 after a failure, 78 when the
 * configuration is not acceptable, 130 after a second signal.  Never rejects.
 */
export async function runService<Name extends ServiceName>(name: Name, create: Create<Config[Name]>): Promise<void> {
    try {
        const { config: file, instance } = parseCommandLine(process.argv.slice(2));
        const config = loadConfig(file, { service: name, instance });
        const log = createLogger({ service: name, instance, level: config.log.level });
        process.exit(await live(name, instance, config, log, create));
    } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
        process.stderr.write(`${name}: ${error.message}${cause}\n`);
        process.exit(BAD_CONFIG);
    }
}

async function live<Name extends ServiceName>(
    name: Name,
    instance: string,
    config: Config,
    log: Logger,
    create: Create<Config[Name]>,
): Promise<number> {
    process.on("uncaughtException", (error, origin) => {
        log.fatal({ error, origin }, "a failure that nobody handled: the process ends");
        process.exit(FAILED);
    });
    const stop = listenForStop(() => log.warn({}, "told to stop twice: the process ends at once"));
    const epoch = Date.now();
    const section: Config[Name] = config[name];
    const metrics = createMetrics({ service: name, instance });
    let phase: string | undefined = "starting";
    let service: Service | undefined;
    let reason = "failed to start";
    const undo = new AsyncDisposableStack();
    log.info({ pid: process.pid, epoch, config: config.file }, "starting");
    try {
        const admin = await startAdminListener({
            address: section.admin,
            metrics,
            readiness: () => phase ?? service?.readiness(),
            identity: { service: name, instance, epoch },
        });
        undo.defer(() => admin.close());
        phase = "waiting for the bus";
        const bus = await connectBus({
            servers: config.nats.servers,
            instance,
            tenant: config.tenant,
            ...(config.nats.seed === undefined ? {} : { seedFile: config.nats.seed }),
            ...(config.nats.ca === undefined ? {} : { caFile: config.nats.ca }),
            log,
            metrics: busMetrics(metrics),
            signal: stop.signal,
        });
        undo.defer(() => bus.close());
        phase = "opening the outbox";
        const events = await openEventLog({ service: name, instance, epoch, config, bus, log, metrics });
        undo.defer(() => events.close());
        phase = "starting";
        service = await create({ instance, epoch: events.epoch, config, section, log, metrics, bus, events });
        const running = service;
        undo.defer(() => running.stop(reason));
        await Promise.race([running.start(), stop.first]);
        if (!stop.signal.aborted) {
            phase = undefined;
            log.info({ admin: admin.url, milliseconds: Date.now() - epoch }, "ready");
        }
        reason = await stop.first;
    } catch (error) {
        if (!stop.signal.aborted) {
            log.fatal({ error }, "the service cannot start");
            await end(undo, section.stopWithin, log);
            return FAILED;
        }
        reason = await stop.first;
    }
    phase = "stopping";
    log.info({ reason }, "stopping");
    return (await end(undo, section.stopWithin, log)) ? 0 : FAILED;
}

/** Undoes in reverse order what was started; false when something failed or took longer than `milliseconds`. */
async function end(undo: AsyncDisposableStack, milliseconds: number, log: Logger): Promise<boolean> {
    const { promise: late, resolve: giveUp } = Promise.withResolvers<false>();
    const timer = setTimeout(() => {
        log.error({ milliseconds }, "the stop took too long: the process ends anyway");
        giveUp(false);
    }, milliseconds);
    const orderly = undo.disposeAsync().then(
        () => {
            log.info({}, "stopped");
            return true;
        },
        (error: unknown) => {
            log.error({ error }, "something could not be stopped in order");
            return false;
        },
    );
    const clean = await Promise.race([orderly, late]);
    clearTimeout(timer);
    return clean;
}
