// NATS and every instance that postern.yaml lists, as processes: started together, stopped in order.
import { fileURLToPath } from "node:url";
import { loadConfig, type Config, type ListenAddress } from "@postern/config";
import { SERVICES, type ServiceName } from "@postern/contracts";
import { SupervisedProcess, type Program, type Supervisor } from "./supervised-process.ts";

export type Group = ServiceName | "nats" | "guard";

export interface Member {
    readonly group: Group;
    readonly name: string;
    readonly process: SupervisedProcess;
    /** Milliseconds from SIGTERM to SIGKILL. */
    readonly patience: number;
    readonly admin: ListenAddress | undefined;
}

/**
 * Stages; those of one stop together.  Ingresses take no new connections and carry the workers' goodbyes; what answers the workers
 * while they end their sessions goes after them; the bus last.
 */
export const STOP_ORDER: readonly (readonly Group[])[] = [
    ["ingress", "session-worker"],
    ["auth-broker"],
    ["session-registry"],
    ["audit-logger"],
    ["nats"],
    ["guard"],
];

const NATS_PATIENCE = 15_000;
const GUARD_PATIENCE = 2_000;
/** What a service may take is its own; the launcher waits a little longer, so that the service says why. */
const MARGIN = 2_000;

const entry = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface FleetFiles {
    readonly natsServer: string;
    readonly natsConfig: string;
}

export function createFleet(config: Config, files: FleetFiles, supervisor: Supervisor): Member[] {
    const member = (group: Group, program: Program, patience: number, admin?: ListenAddress): Member => ({
        group,
        name: program.name,
        process: new SupervisedProcess(program, supervisor),
        patience,
        admin,
    });
    const nats = { name: "nats", command: files.natsServer, args: ["--config", files.natsConfig], channel: false };
    const guard = {
        name: "guard",
        command: process.execPath,
        args: [entry("./orphan-guard.ts")],
        channel: true,
    };
    return [
        member("guard", guard, GUARD_PATIENCE),
        member("nats", nats, NATS_PATIENCE),
        ...SERVICES.flatMap((service) =>
            config.instances[service].map((instance) => {
                const { admin, stopWithin } = loadConfig(config.file, { service, instance })[service];
                return member(service, serviceProgram(config.file, service, instance), stopWithin + MARGIN, admin);
            }),
        ),
    ];
}

/**
 * What Node has to be started with.  V8's memory reducer marks the whole heap of a process that is never idle every hundred seconds, and
 * makes its young generation small meanwhile: with ten thousand sessions everybody waits for seconds.  docs/adr/0021.
 */
const NODE_FLAGS: Readonly<Partial<Record<ServiceName, readonly string[]>>> = {
    ingress: ["--no-memory-reducer"],
    "session-worker": ["--no-memory-reducer"],
};

const serviceProgram = (config: string, service: ServiceName, instance: string): Program => ({
    name: instance,
    command: process.execPath,
    args: [
        ...(NODE_FLAGS[service] ?? []),
        entry(`../../../services/${service}/src/main.ts`),
        "--config",
        config,
        "--instance",
        instance,
    ],
    channel: true,
});

/** The postern command line, as a child: `bus apply`, `user add`. */
export const CLI = entry("../../cli/src/main.ts");
