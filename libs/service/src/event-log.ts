// The `Events` of a service: durable facts through the outbox, the others straight to the bus.
import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import type { Bus } from "@postern/bus";
import type { Config } from "@postern/config";
import { eventType, registryRelease, type CloudEvent, type ServiceName } from "@postern/contracts";
import { InvariantError } from "@postern/errors";
import { openOutbox, type Outbox } from "@postern/outbox";
import type { Logger, Metrics } from "@postern/telemetry";
import type { Events } from "./service.ts";

interface Ports {
    readonly service: ServiceName;
    readonly instance: string;
    readonly epoch: number;
    readonly config: Config;
    readonly bus: Bus;
    readonly log: Logger;
    readonly metrics: Metrics;
}

export interface EventLog extends Events {
    /** The epoch of this start, higher than that of any earlier one. */
    readonly epoch: number;
    /** Gives the last events a moment to reach the bus; what does not is published by the next start. */
    close(): Promise<void>;
}

const ADOPTION_INTERVAL = 60_000;
const LAST_EVENTS = 3_000;

export async function openEventLog(ports: Ports): Promise<EventLog> {
    const { service, instance, config, bus, log } = ports;
    const outbox = await openOutbox({
        directory: config.outbox.directory,
        tenant: config.tenant,
        service,
        instance,
        epoch: ports.epoch,
        maxBytes: config.outbox.maxBytes,
        streamSyncInterval: config.outbox.streamSyncInterval,
        stream: bus,
        settle: async (question) => (await bus.ask(bus.subjects.registry.release, registryRelease, question)).outcome,
        log,
    });
    measure(outbox, bus, ports.metrics);
    const adoption = setInterval(() => adopt(outbox, ports), ADOPTION_INTERVAL);
    adopt(outbox, ports);
    return {
        epoch: outbox.epoch,
        get accepting() {
            return outbox.accepting;
        },
        append: (contract, about, data, settle) => outbox.append(contract, about, data, settle),
        emit(contract, about, data) {
            const parsed = contract.data.safeParse(data);
            if (!parsed.success) throw new InvariantError(`${eventType(contract)}: ${parsed.error.message}`);
            const event: CloudEvent = {
                specversion: "1.0",
                id: randomUUID(),
                source: outbox.source,
                type: eventType(contract),
                subject: about,
                time: new Date().toISOString(),
                datacontenttype: "application/json",
                instance,
                data: parsed.data,
            };
            bus.emit(bus.subjects.event(contract, about), JSON.stringify(event));
        },
        async close() {
            clearInterval(adoption);
            if (bus.status.connected) {
                // Not an error: the outbox keeps what is left.
                await outbox.drained(AbortSignal.timeout(LAST_EVENTS)).catch(() => {
                    log.warn({ waiting: outbox.statistics().waiting }, "some events are left for the next start");
                });
            }
            await outbox.close();
        },
    };
}

/** Publishes what instances of this service left behind that will not come back: those that the configuration does not name. */
function adopt(outbox: Outbox, { service, config, log }: Ports): void {
    const root = dirname(config.outbox.directory);
    const alive = (instance: string): boolean => config.instances[service].includes(instance);
    outbox.adoptOrphans(root, { alive }).then(
        (adopted) => {
            if (adopted.length > 0) log.info({ adopted }, "took over the outboxes of instances that are gone");
        },
        (error: unknown) => log.warn({ error, root }, "outboxes of other instances cannot be looked at"),
    );
}

function measure(outbox: Outbox, bus: Bus, metrics: Metrics): void {
    metrics.gauge({
        name: "outbox_waiting_events",
        help: "Events that the bus has not acknowledged.",
        read: () => outbox.statistics().waiting,
    });
    metrics.gauge({
        name: "outbox_bytes",
        help: "Disk that the outbox uses.",
        read: () => outbox.statistics().bytes,
    });
    metrics.gauge({
        name: "outbox_oldest_seconds",
        help: "Age of the oldest event that the bus has not acknowledged.",
        read: () => outbox.statistics().oldestAge / 1000,
    });
    metrics.gauge({
        name: "bus_connected",
        help: "1 while the instance is connected to NATS.",
        read: () => Number(bus.status.connected),
    });
}
