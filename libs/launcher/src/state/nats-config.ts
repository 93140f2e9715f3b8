// nats-server's configuration: written once, but for the permission table, which follows the contracts of this release.
import { createSeed, natsPermissions, publicKeyOf, type BusUser } from "@postern/bus";
import type { Config } from "@postern/config";
import { SERVICES, type Role } from "@postern/contracts";
import { ConfigError } from "@postern/errors";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SECRET_MODE, writeOnce, writeWhole } from "./files.ts";
import { ADMIN, SUBSCRIBER } from "./layout.ts";

const text = (
    port: number,
    store: string,
): string => `# Made by \`make start\`; yours to change, it is never overwritten.
server_name: postern
listen: "127.0.0.1:${port}"

jetstream {
  store_dir: "${store}"
  # What a stream has acknowledged is on disk, whatever happens to the host.
  sync_interval: always
}

# One user for each instance, with the least it needs.  Written at every start.
include "authorization.conf"
`;

/** Makes the seeds that are missing, and nats.conf with its permission table; returns the path of nats.conf. */
export async function ensureNats(config: Config, directory: string): Promise<string> {
    const users: BusUser[] = [];
    for (const { role, instance } of busUsers(config)) {
        const file = seedFile(config, instance);
        await writeOnce(file, SECRET_MODE, () => `${createSeed().seed}\n`);
        users.push({ role, instance, nkeyPublic: publicKeyOf(await readFile(file, "utf8")) });
    }
    const path = join(directory, "nats.conf");
    await writeOnce(path, SECRET_MODE, () => text(serverPort(config), directory));
    await writeWhole(join(dirname(path), "authorization.conf"), natsPermissions(config.tenant, users), SECRET_MODE);
    return path;
}

/** The seed file of one instance, as postern.yaml names it. */
export function seedFile(config: Config, instance: string): string {
    const { seed } = config.nats;
    if (seed === undefined)
        throw new ConfigError("CONFIG_INVALID", `${config.file}: nats.seed is needed by \`make start\``);
    return seed.replaceAll("{instance}", instance);
}

function busUsers(config: Config): { role: Role; instance: string }[] {
    const services = SERVICES.flatMap((role) => config.instances[role].map((instance) => ({ role, instance })));
    return [...services, { role: "admin", instance: ADMIN }, { role: "subscriber", instance: SUBSCRIBER }];
}

function serverPort(config: Config): number {
    const [server = ""] = config.nats.servers;
    return Number(new URL(server).port || 4222);
}
