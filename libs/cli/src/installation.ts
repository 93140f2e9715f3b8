// The installation that a command is about: its configuration, its bus as administrator, its account key.
import { existsSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import type { AccountCipher } from "@postern/accounts";
import { connectBus, type Bus, type BusLog } from "@postern/bus";
import { loadConfig, type Config } from "@postern/config";
import { ConfigError, DependencyError } from "@postern/errors";
import { readKeyFile, recordCipher } from "@postern/sealing";

/** The administrator's id on the bus: names the seed file (`nats.seed` with `{instance}`) and the private inbox. */
const ADMIN = "admin";
const CONNECT_PATIENCE = 5_000;

export function readConfig(file: string): Config {
    if (!existsSync(file)) {
        const advice = "`make start` makes one; --config or POSTERN_CONFIG names that of another installation";
        throw new ConfigError("CONFIG_INVALID", `there is no ${file}; ${advice}`);
    }
    return loadConfig(file, { instance: ADMIN });
}

/** Who asks, for events and logs: `root@gw1`. */
export const operator = (): string => `${userInfo().username}@${hostname()}`;

/** Runs `work` with a connection of the administrator.  `BUS_UNAVAILABLE` says why there is none after `patience` ms. */
export async function withBus<T>(
    config: Config,
    work: (bus: Bus) => Promise<T>,
    patience = CONNECT_PATIENCE,
): Promise<T> {
    const bus = await connect(config, patience);
    try {
        return await work(bus);
    } finally {
        await bus.close();
    }
}

async function connect(config: Config, patience: number): Promise<Bus> {
    let reason = "no answer";
    // What the connection says while it tries is told once, if it does not succeed.
    const log: BusLog = {
        info: () => undefined,
        warn: (_fields, message) => (reason = message),
        error: (_fields, message) => (reason = message),
    };
    const signal = AbortSignal.timeout(patience);
    try {
        return await connectBus({
            servers: config.nats.servers,
            instance: ADMIN,
            tenant: config.tenant,
            ...(config.nats.seed === undefined ? {} : { seedFile: config.nats.seed }),
            ...(config.nats.ca === undefined ? {} : { caFile: config.nats.ca }),
            log,
            signal,
        });
    } catch (error) {
        if (!signal.aborted) throw error;
        throw new DependencyError("BUS_UNAVAILABLE", `${config.nats.servers.join(", ")}: ${reason}`, { cause: error });
    }
}

export async function accountCipher(config: Config): Promise<AccountCipher> {
    const { accountsKey } = config["auth-broker"];
    if (accountsKey === undefined) {
        throw new ConfigError("CONFIG_INVALID", `${config.file}: auth-broker.accountsKey is needed for local users`);
    }
    return recordCipher(await readKeyFile(accountsKey, "accounts"));
}
