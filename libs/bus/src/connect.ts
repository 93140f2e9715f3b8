// Getting a connection and keeping it: the first one is waited for with readable lines, later ones are renewed for ever.
import { setTimeout as delay } from "node:timers/promises";
import { checkServerIdentity } from "node:tls";
import {
    connect,
    errors,
    nkeyAuthenticator,
    type NatsConnection,
    type NodeConnectionOptions,
} from "@nats-io/transport-node";
import { DependencyError } from "@postern/errors";
import type { Bus, BusOptions } from "./bus.ts";
import { messageOf } from "./failures.ts";
import { NatsBus } from "./nats-bus.ts";
import { readSeed } from "./nkey.ts";

const RECONNECT_MIN = 250;
const RECONNECT_MAX = 2_000;
const CONNECT_TIMEOUT = 5_000;
// A server that hangs is given up after two unanswered pings.
const PING_INTERVAL = 5_000;
const MAX_PINGS_OUT = 2;
const OLDEST_SERVER = [2, 11] as const;

/**
 * Connects as one instance.  Resolves when the server has accepted it; until then it logs what is wrong and tries again.
 * Rejects only with `BUS_SERVER_TOO_OLD`, with `CONFIG_INVALID` (seed file), or with the reason of `options.signal`.
 */
export async function connectBus(options: BusOptions): Promise<Bus> {
    const { log, servers, random = Math.random } = options;
    const settings = await connectionOptions(options);
    for (let attempt = 1; ; attempt += 1) {
        options.signal?.throwIfAborted();
        try {
            const connection = await connect(settings);
            await refuseOldServer(connection);
            log.info({ server: connection.getServer(), version: connection.info?.version }, "connected to NATS");
            return new NatsBus(connection, options);
        } catch (error) {
            if (error instanceof DependencyError) throw error;
            const wait = Math.min(RECONNECT_MAX, RECONNECT_MIN * 2 ** (attempt - 1)) * (0.5 + random() / 2);
            log.warn({ servers, attempt, reason: reasonOf(error) }, `NATS: ${reasonOf(error)}; trying again`);
            await delay(wait, undefined, options.signal === undefined ? {} : { signal: options.signal });
        }
    }
}

async function connectionOptions(options: BusOptions): Promise<NodeConnectionOptions> {
    const { servers, instance, seedFile, caFile, random = Math.random } = options;
    // The client passes what it does not know on to node:tls.
    const tls = { caFile: caFile ?? "", checkServerIdentity: identityCheck(servers) };
    return {
        servers: [...servers],
        name: instance,
        inboxPrefix: inboxPrefix(instance),
        timeout: CONNECT_TIMEOUT,
        pingInterval: PING_INTERVAL,
        maxPingOut: MAX_PINGS_OUT,
        maxReconnectAttempts: -1,
        reconnectDelayHandler: () => RECONNECT_MIN + random() * (RECONNECT_MAX - RECONNECT_MIN),
        // The server may get its new permission table after us.
        ignoreAuthErrorAbort: true,
        noAsyncTraces: true,
        ...(seedFile === undefined ? {} : { authenticator: nkeyAuthenticator(await readSeed(seedFile)) }),
        ...(caFile === undefined ? {} : { tls }),
    };
}

/**
 * The client names no host to TLS when a server is given by its address, so that every certificate would be compared with
 * "localhost".  Then, and for servers that the cluster named, the certificate must be that of a configured server.
 */
export function identityCheck(servers: readonly string[]): typeof checkServerIdentity {
    const hosts = servers.map((server) => new URL(server).hostname.replace(/^\[|\]$/g, ""));
    return (name, certificate) => {
        const candidates = hosts.includes(name) ? [name] : hosts;
        const problems = candidates.map((host) => checkServerIdentity(host, certificate));
        return problems.includes(undefined) ? undefined : problems[0];
    };
}

/** Only this instance may subscribe below it. */
export const inboxPrefix = (instance: string): string => `_INBOX_${instance}`;

async function refuseOldServer(connection: NatsConnection): Promise<void> {
    const version = connection.info?.version ?? "unknown";
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major > OLDEST_SERVER[0] || (major === OLDEST_SERVER[0] && minor >= OLDEST_SERVER[1])) return;
    await connection.close();
    throw new DependencyError(
        "BUS_SERVER_TOO_OLD",
        `nats-server ${version} at ${connection.getServer()}; 2.11 is needed`,
    );
}

function reasonOf(error: unknown): string {
    if (error instanceof errors.AuthorizationError) return "the server does not accept this instance's credentials";
    return messageOf(error);
}
