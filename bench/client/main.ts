// The load client: sessions to any SSTP server, each with a TUN device of this host, so that any program can send through it.
// Needs root.  Prints one line of JSON when all sessions are open; SIGTERM or SIGINT says goodbye and ends it.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { SstpClient } from "@postern/sstp-client";
import { InvariantError, PosternError } from "@postern/errors";
import { parseArguments, type LoadClientOptions } from "./arguments.ts";
import { addSourceRoute, deleteSourceRule, type SourceRoute } from "./source-route.ts";
import { openTunnelDevice } from "./tunnel-device.ts";

/** What is printed. */
export interface OpenReport {
    readonly gateway: string;
    readonly addresses: readonly string[];
    /** With `--reach-ipv6`. */
    readonly ipv6Addresses: readonly string[];
    readonly devices: readonly string[];
    readonly tls: string;
}

const STANDARD_INPUT = 0;
const readPassword = (): string => readFileSync(STANDARD_INPUT, "utf8").split("\n")[0] ?? "";
const ip = (...args: readonly string[]): Buffer => execFileSync("ip", args);

try {
    await run(parseArguments(process.argv.slice(2), readPassword));
} catch (error) {
    if (!(error instanceof PosternError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
}
// Devices, and sessions that did open where another did not, would keep it alive.
process.exit();

async function run(options: LoadClientOptions): Promise<void> {
    const { dial, sessions, device, mtu, firstTable, reachIpv6 } = options;
    const clients = await Promise.all(Array.from({ length: sessions }, () => SstpClient.connect(dial)));
    const [first] = clients;
    if (first === undefined) throw new InvariantError("no session");
    const reach = options.reach ?? first.gateway ?? "";
    if (reachIpv6 !== undefined) await Promise.all(clients.map((client) => client.untilIpv6Network()));
    const routes = clients.flatMap((client, index): SourceRoute[] => {
        const { name } = openTunnelDevice(client, { name: `${device}${index}`, mtu, reach, reachIpv6 });
        const route = { device: name, table: firstTable + index };
        const ipv4 = { ...route, source: client.address ?? "", destination: reach };
        const source = client.ipv6Network?.address;
        if (source === undefined || reachIpv6 === undefined) return [ipv4];
        return [ipv4, { ...route, source, destination: reachIpv6 }];
    });
    const sourcesOf = (destination: string | undefined): string[] =>
        routes.filter((route) => route.destination === destination).map(({ source }) => source);
    for (const command of routes.flatMap(addSourceRoute)) ip(...command);
    const report: OpenReport = {
        gateway: reach,
        addresses: sourcesOf(reach),
        ipv6Addresses: sourcesOf(reachIpv6),
        devices: [...new Set(routes.map(({ device: name }) => name))],
        tls: first.tls,
    };
    process.stdout.write(`${JSON.stringify(report)}\n`);
    const signal = new Promise((resolve) => {
        for (const name of ["SIGTERM", "SIGINT"]) process.once(name, resolve);
    });
    const ended = Promise.race(clients.map(({ closed }) => closed));
    const lost = await Promise.race([signal.then(() => undefined), ended]);
    for (const route of routes) ip(...deleteSourceRule(route));
    await Promise.all(clients.map((client) => client.disconnect()));
    if (lost !== undefined) throw new InvariantError(`a session ended: ${lost.reason}: ${lost.detail}`);
}
