// What the environment may ask for.
import { resolve } from "node:path";
import { ConfigError } from "@postern/errors";

export interface LaunchSettings {
    /** POSTERN_STATE: the state directory, absolute. */
    readonly directory: string;
    /** POSTERN_PORT: the port that clients dial. */
    readonly port: number | undefined;
    /** POSTERN_NAME: the DNS name that clients dial, when the state directory is made. */
    readonly name: string | undefined;
    /** NATS_SERVER: the program; otherwise tools/install-nats-server.sh finds or fetches one. */
    readonly natsServer: string | undefined;
}

export function launchSettings(
    environment: Readonly<Record<string, string | undefined>>,
    root: string,
): LaunchSettings {
    const given = (name: string): string | undefined => environment[name] || undefined;
    const port = given("POSTERN_PORT");
    if (port !== undefined && !/^[1-9]\d{0,4}$/.test(port)) {
        throw new ConfigError("CONFIG_INVALID", `POSTERN_PORT=${port} is not a port`);
    }
    if (Number(port ?? 0) > 65_535) throw new ConfigError("CONFIG_INVALID", `POSTERN_PORT=${port} is above 65535`);
    return {
        directory: resolve(root, given("POSTERN_STATE") ?? ".postern"),
        port: port === undefined ? undefined : Number(port),
        name: given("POSTERN_NAME"),
        natsServer: given("NATS_SERVER"),
    };
}
