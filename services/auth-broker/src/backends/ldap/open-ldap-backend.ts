// Composition of an LDAP backend from its part of postern.yaml.
import { readFile, stat } from "node:fs/promises";
import type { NameRules } from "@postern/accounts";
import type { AuthBrokerSection } from "@postern/config";
import { ConfigError } from "@postern/errors";
import type { Logger } from "@postern/telemetry";
import type { Clock } from "../../clock.ts";
import { DirectoryServer, type ServiceAccount } from "./directory-server.ts";
import { LdapBackend, type DirectorySettings } from "./ldap-backend.ts";
import { serverAddress } from "./ldap-connection.ts";
import type { LdapMetrics } from "./ldap-metrics.ts";
import { ServerGroup } from "./server-group.ts";

type LdapSettings = Extract<AuthBrokerSection["backends"][string], { kind: "ldap" }>;

export interface LdapPorts {
    readonly clock: Clock;
    readonly log: Logger;
    readonly metrics: LdapMetrics;
    readonly names: NameRules;
}

const FLAVOURS = {
    "active-directory": {
        userFilter: "(&(objectCategory=person)(objectClass=user)(sAMAccountName={user}))",
        name: "sAMAccountName",
        groupName: "sAMAccountName",
        groups: "in-chain",
    },
    rfc2307: {
        userFilter: "(&(objectClass=posixAccount)(uid={user}))",
        name: "uid",
        groupName: "cn",
        groups: "member-uid",
    },
    generic: { userFilter: "(&(objectClass=person)(uid={user}))", name: "uid", groupName: "cn", groups: "member" },
} as const;

/** Reads the files; connections are opened when logins come.  Throws a ConfigError. */
export async function openLdapBackend(name: string, settings: LdapSettings, ports: LdapPorts): Promise<LdapBackend> {
    const { clock, names, metrics } = ports;
    const log = ports.log.child({ backend: name });
    const { caFile, serverName } = settings;
    const service = await serviceAccount(settings);
    const shared = {
        ...settings,
        trust: {
            ...(caFile === undefined ? {} : { ca: await readText(caFile, "caFile") }),
            ...(serverName === undefined ? {} : { serverName }),
        },
        ...(service === undefined ? {} : { service }),
    };
    const onState = (server: string, alive: boolean): void => metrics.server(name, server, alive);
    const servers = settings.servers.map(
        (url) => new DirectoryServer(serverAddress(url), shared, { clock, log, onState }),
    );
    for (const server of servers) onState(server.name, true);
    return new LdapBackend({
        name,
        names,
        clock,
        settings: directorySettings(settings),
        servers: new ServerGroup(servers, clock, settings.timeout),
        onDecided: (outcome) => metrics.decided(name, outcome),
    });
}

function directorySettings(settings: LdapSettings): DirectorySettings {
    const { flavour, userBase, groupBase, groupDepth, groupLimit } = settings;
    const usual = FLAVOURS[flavour];
    return {
        userBase,
        userFilter: settings.userFilter ?? usual.userFilter,
        nameAttribute: settings.nameAttribute ?? usual.name,
        groups: {
            how: settings.groups ?? usual.groups,
            base: groupBase ?? userBase,
            name: settings.groupName ?? usual.groupName,
            depth: groupDepth,
            limit: groupLimit,
        },
    };
}

/** Group and others may not read, write or execute. */
const OTHERS = 0o077;

async function serviceAccount({ bindDn, passwordFile }: LdapSettings): Promise<ServiceAccount | undefined> {
    if (bindDn === undefined || passwordFile === undefined) return undefined;
    const password = (await readText(passwordFile, "passwordFile")).replace(/\r?\n$/u, "");
    if (password === "") throw new ConfigError("CONFIG_INVALID", `${passwordFile} is empty: it should hold a password`);
    if (((await stat(passwordFile)).mode & OTHERS) !== 0) {
        throw new ConfigError("CONFIG_INVALID", `${passwordFile} can be used by others than its owner: chmod 600`);
    }
    return { dn: bindDn, password };
}

async function readText(path: string, key: string): Promise<string> {
    try {
        return await readFile(path, "utf8");
    } catch (error) {
        throw new ConfigError("CONFIG_INVALID", `${key}: ${path} cannot be read`, { cause: error });
    }
}
