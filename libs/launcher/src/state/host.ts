// What this host is and can do, as far as the first configuration depends on it.
import { accessSync, constants } from "node:fs";
import { lookup } from "node:dns/promises";
import { createServer } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";

/** Addresses by which clients may dial this host: global ones first, loopback last, no link-local, none of our tunnels. */
export function hostAddresses(): string[] {
    const outside = Object.entries(networkInterfaces()).filter(([name]) => !name.startsWith(TUNNEL_PREFIX));
    const all = outside.flatMap(([, addresses]) => addresses ?? []);
    const usable = all.filter(({ address }) => !address.toLowerCase().startsWith("fe80:"));
    const ranked = [...usable.filter(({ internal }) => !internal), ...usable.filter(({ internal }) => internal)];
    return [...new Set(ranked.map(({ address }) => address))].slice(0, MAX_ADDRESSES);
}

/** What the names of the workers' devices begin with. */
const TUNNEL_PREFIX = "pst";
/** A certificate with hundreds of names is refused by some clients. */
const MAX_ADDRESSES = 32;

/** The host's own name, fit for a certificate. */
export function hostName(): string {
    const name = hostname()
        .toLowerCase()
        .replaceAll(/[^a-z0-9.-]/g, "-")
        .replaceAll(/^[.-]+|[.-]+$/g, "");
    return name === "" ? "postern" : name;
}

/** Whether `name` leads to this host from here. */
export async function leadsHere(name: string, addresses: readonly string[]): Promise<boolean> {
    try {
        const found = await lookup(name, { all: true });
        return found.some(({ address }) => addresses.includes(address) || address.startsWith("127."));
    } catch {
        return false;
    }
}

/** Why this process cannot move packets through a TUN device; `undefined`: it can. */
export function missingForTun(): string | undefined {
    if (process.platform !== "linux") return `this is ${process.platform}, and TUN devices are Linux'`;
    if (process.getuid?.() !== 0) return "not running as root";
    if (!isUsable("/dev/net/tun", constants.R_OK | constants.W_OK)) return "/dev/net/tun is not there";
    const directories = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];
    const hasNft = directories.some((directory) => isUsable(join(directory, "nft"), constants.X_OK));
    return hasNft ? undefined : "nft (package nftables) is not installed";
}

function isUsable(path: string, mode: number): boolean {
    try {
        accessSync(path, mode);
        return true;
    } catch {
        return false;
    }
}

/** Whether this process may listen on `host:port` now, and if not, why (`EADDRINUSE`, `EACCES`, …). */
export function refusalToListen(port: number, host: string): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
    return promise;
}
