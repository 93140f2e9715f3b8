// The load client's command line.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ConfigError } from "@postern/errors";
import type { SstpClientOptions } from "@postern/sstp-client";

export interface LoadClientOptions {
    readonly dial: SstpClientOptions;
    readonly sessions: number;
    /** Names of TUN devices: this and a number. */
    readonly device: string;
    readonly mtu: number;
    /** The inner address that is reached through the tunnels; default the server's. */
    readonly reach: string | undefined;
    /** An IPv6 address that is reached, too. */
    readonly reachIpv6: string | undefined;
    /** Routing tables, from this number on. */
    readonly firstTable: number;
}

export const USAGE = `usage: client/main.ts --server HOST:PORT --user USER [--password PASSWORD] [options]
  --password PASSWORD    default: the first line of standard input, where no other process can see it
  --ca FILE              PEM of the authorities that are trusted; default those of the system
  --insecure             accept any certificate
  --servername NAME      the name in the certificate, if it is not HOST
  --sessions N           default 1
  --device PREFIX        TUN devices are called PREFIX0, PREFIX1, ...; default sstp
  --mtu BYTES            default 1400
  --reach ADDRESS        inner address behind the tunnels; default the server's
  --reach-ipv6 ADDRESS   an inner IPv6 address too, with the network that the server gives; default none
  --first-table N        policy routing tables N, N+1, ...; default 2000`;

const OPTIONS = {
    server: { type: "string" },
    user: { type: "string" },
    password: { type: "string" },
    ca: { type: "string" },
    insecure: { type: "boolean", default: false },
    servername: { type: "string" },
    sessions: { type: "string", default: "1" },
    device: { type: "string", default: "sstp" },
    mtu: { type: "string", default: "1400" },
    reach: { type: "string" },
    "reach-ipv6": { type: "string" },
    "first-table": { type: "string", default: "2000" },
} as const;

/** Throws a `ConfigError` whose message says how to call.  `readPassword` is asked where the command line has none. */
export function parseArguments(args: readonly string[], readPassword: () => string): LoadClientOptions {
    const { values } = parse(args);
    const { server, user, ca, servername, insecure, device, reach } = values;
    const [, host, port] = /^\[?([^[\]]+)\]?:(\d+)$/.exec(server ?? "") ?? [];
    if (host === undefined || user === undefined) throw new ConfigError("CONFIG_INVALID", USAGE);
    return {
        dial: {
            host,
            port: Number(port),
            user,
            password: values.password ?? readPassword(),
            verifiesCertificate: !insecure,
            ...(ca === undefined ? {} : { ca: readFileSync(ca, "utf8") }),
            ...(servername === undefined ? {} : { servername }),
        },
        sessions: count(values.sessions),
        device,
        mtu: count(values.mtu),
        reach,
        reachIpv6: values["reach-ipv6"],
        firstTable: count(values["first-table"]),
    };
}

function parse(args: readonly string[]) {
    try {
        return parseArgs({ args: [...args], options: OPTIONS });
    } catch (error) {
        throw new ConfigError("CONFIG_INVALID", `${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    }
}

function count(text: string): number {
    if (!/^[1-9]\d*$/.test(text)) throw new ConfigError("CONFIG_INVALID", `${text} is not a number above 0\n${USAGE}`);
    return Number(text);
}
