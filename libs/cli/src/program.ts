// The command line: names, options and help.  What commands do is in commands/.
import { ConfigError } from "@postern/errors";
import { Command, Option } from "commander";
import { publishedCheckpoints, verifyAudit } from "./commands/audit.ts";
import { addBan, liftBan, listBans, parseSource } from "./commands/bans.ts";
import { applyLayout } from "./commands/bus.ts";
import { type ConnectionFilter, listConnections } from "./commands/connections.ts";
import { checkConfig, printConfigSchema } from "./commands/configuration.ts";
import { tailEvents, type EventFilter } from "./commands/events.ts";
import { disconnect, listSessions, type SessionFilter } from "./commands/sessions.ts";
import { collect, milliseconds, type CommandPorts, type Terminal } from "./command-ports.ts";
import { addPolicyCommands } from "./policy-commands.ts";
import { addUserCommands } from "./user-commands.ts";
import { drain, listWorkers } from "./commands/workers.ts";
import type { ExitStatus } from "./exit-status.ts";
import { readConfig, withBus } from "./installation.ts";
import { Output } from "./output.ts";

/** NATS and JetStream may have been started just now. */
const APPLY_PATIENCE = 30_000;

export function createProgram(terminal: Terminal, setStatus: (status: ExitStatus) => void): Command {
    const program = new Command("postern")
        .description("Look at and act on a postern installation.")
        .addOption(
            new Option("-c, --config <file>", "postern.yaml of the installation")
                .env("POSTERN_CONFIG")
                .default(terminal.defaultConfig),
        )
        .option("--json", "print JSON for programs", false)
        .showHelpAfterError("(postern --help lists the commands)")
        .configureHelp({ showGlobalOptions: true });
    // Options given before or after the command's name are the same.
    const options = () => program.opts<{ config: string; json: boolean }>();
    const ports: CommandPorts = {
        configFile: () => options().config,
        output: () => new Output(terminal.stdout, options().json),
        terminal,
        setStatus,
    };
    addSessionCommands(program, ports);
    addUserCommands(program, ports);
    addPolicyCommands(program, ports);
    addBanCommands(program, ports);
    addAuditCommands(program, ports);
    addConfigCommands(program, ports);
    return program;
}

function addSessionCommands(program: Command, { configFile, output, terminal }: CommandPorts): void {
    program
        .command("sessions")
        .description("list live sessions")
        .option("--user <name>", "only of this user")
        .option("--worker <id>", "only on this worker")
        .option("--address <ip>", "only with this inner address")
        .option("--client <ip>", "only from this client address")
        .option("--ended", "also sessions that ended a short while ago")
        .action((filter: SessionFilter) =>
            withBus(readConfig(configFile()), (bus) => listSessions(bus, output(), filter)),
        );
    program
        .command("connections")
        .description("list clients' TCP connections with round-trip time and loss")
        .option("--user <name>", "only of this user")
        .option("--client <ip>", "only from this client address")
        .option(
            "--ingress <id>",
            "also ask this ingress, which postern.yaml does not name; may be repeated",
            collect,
            [],
        )
        .action((filter: ConnectionFilter) => {
            const config = readConfig(configFile());
            return withBus(config, (bus) => listConnections(bus, config, output(), filter));
        });
    program
        .command("disconnect")
        .description("end a session, or all sessions of a user")
        .argument("[session]", "id of a session")
        .option("--user <name>", "all sessions of this user")
        .action(async (session: string | undefined, { user }: { user?: string }) => {
            if ((session === undefined) === (user === undefined)) {
                throw new ConfigError("CLI_USAGE", "name a session, or a user with --user");
            }
            const target = session === undefined ? { user: user ?? "" } : { session };
            await withBus(readConfig(configFile()), (bus) => disconnect(bus, output(), target));
        });
    program
        .command("workers")
        .description("list session-workers")
        .action(() => withBus(readConfig(configFile()), (bus) => listWorkers(bus, output())));
    program
        .command("drain")
        .description("give a worker no new sessions")
        .argument("<worker>", "id of the worker")
        .option("--over <duration>", "also end its sessions, spread over this time", milliseconds)
        .action((worker: string, { over }: { over?: number }) =>
            withBus(readConfig(configFile()), (bus) =>
                drain(bus, output(), worker, over === undefined ? undefined : Math.ceil(over / 1000)),
            ),
        );
    program
        .command("events")
        .description("follow what happens, until Ctrl-C")
        .option("--kind <kind>", "only events of this kind: session, auth, worker, …")
        .option("--name <name>", "only events of this name: started, ended, failed, …")
        .option("--about <id>", "only events about this session, source or user")
        .option("--since <duration>", "also what happened in this time before now", milliseconds)
        .action((filter: EventFilter) =>
            withBus(readConfig(configFile()), (bus) => tailEvents(bus, output(), filter, terminal.interrupted)),
        );
}

function addBanCommands(program: Command, { configFile, output }: CommandPorts): void {
    const bans = program.command("bans").description("list, add and lift bans of client addresses");
    bans.command("list", { isDefault: true })
        .description("list bans")
        .action(() => withBus(readConfig(configFile()), (bus) => listBans(bus, output())));
    bans.command("add")
        .description("drop connections from an address")
        .argument("<address>", "IPv4 or IPv6 address; an IPv6 address stands for its /64", parseSource)
        .option("--for <duration>", "how long", milliseconds, milliseconds("1h"))
        .option("--reason <text>", "what is told to other administrators", "by hand")
        .action((address: string, { for: time, reason }: { for: number; reason: string }) =>
            withBus(readConfig(configFile()), (bus) => addBan(bus, output(), address, time, reason)),
        );
    bans.command("lift")
        .description("accept connections from an address again")
        .argument("<address>", "a banned address", parseSource)
        .action((address: string) => withBus(readConfig(configFile()), (bus) => liftBan(bus, output(), address)));
}

function addAuditCommands(program: Command, { configFile, output, setStatus }: CommandPorts): void {
    program
        .command("audit")
        .description("check the audit record")
        .command("verify")
        .description("check the audit logs on this host against their signed checkpoints")
        .option("--offline", "believe the checkpoints beside the logs; do not ask the bus for those it keeps")
        .option("--key <file>", "a key that signed earlier; may be repeated", collect, [])
        .action(async ({ offline = false, key }: { offline?: boolean; key: readonly string[] }) => {
            const config = readConfig(configFile());
            const checkpoints = offline ? undefined : await withBus(config, publishedCheckpoints);
            setStatus(await verifyAudit(config, output(), { earlierKeys: key }, checkpoints));
        });
}

function addConfigCommands(program: Command, { configFile, output, setStatus }: CommandPorts): void {
    const config = program.command("config").description("check postern.yaml, or print its schema");
    config
        .command("check")
        .description("report every problem of postern.yaml with its line")
        .action(() => setStatus(checkConfig(configFile(), output())));
    config
        .command("schema")
        .description("print the JSON Schema of postern.yaml, for editors")
        .action(() => printConfigSchema(output()));
    const bus = program.command("bus").description("set up the bus");
    bus.command("apply")
        .description("create or update streams, buckets and consumers, and read them back")
        .action(() => {
            const settings = readConfig(configFile());
            return withBus(settings, (connection) => applyLayout(connection, settings, output()), APPLY_PATIENCE);
        });
}
