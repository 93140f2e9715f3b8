// Brings a state directory into being, or adds to one what is missing; never overwrites what is there.
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { loadConfig, type Config, type ListenAddress } from "@postern/config";
import { parseDocument } from "yaml";
import { defaultConfig, PORTS_NEEDED, writtenAddress } from "./default-config.ts";
import { exists, PUBLIC_MODE, readIfThere, writeWhole } from "./files.ts";
import { ensureFirstUser, type FirstUser } from "./first-user.ts";
import { hostAddresses, hostName, missingForTun, refusalToListen } from "./host.ts";
import type { StateLayout } from "./layout.ts";
import { ensureNats } from "./nats-config.ts";
import { freeLoopbackPorts } from "./ports.ts";
import { ensureCertificates, ensureKeys } from "./secrets.ts";

export interface Wishes {
    /** SSTP port; `undefined`: 443, or 8443 where this process may not have it. */
    readonly port: number | undefined;
    /** Name that clients dial; only asked for when postern.yaml is made. */
    readonly name: string | undefined;
}

export interface Installation {
    readonly layout: StateLayout;
    readonly config: Config;
    readonly natsConfig: string;
    readonly user: FirstUser;
}

type Say = (message: string) => void;

const SSTP_PORT = 443;
const UNPRIVILEGED_SSTP_PORT = 8443;

export async function prepareState(layout: StateLayout, wishes: Wishes, say: Say): Promise<Installation> {
    if (await exists(layout.config)) await changePort(layout, wishes, say);
    else await writeDefaultConfig(layout, wishes, say);
    const config = loadConfig(layout.config);
    await ensureCertificates(layout.directory, { name: config.name, addresses: hostAddresses() });
    await ensureKeys(layout.directory);
    const natsConfig = await ensureNats(config, layout.nats);
    return { layout, config, natsConfig, user: await ensureFirstUser(layout.firstUser) };
}

async function writeDefaultConfig(layout: StateLayout, wishes: Wishes, say: Say): Promise<void> {
    const missing = missingForTun();
    if (missing !== undefined) {
        say(
            `no TUN device: ${missing}. Clients can connect and ping the gateway, no other packet is moved (uplink: null)`,
        );
    }
    const text = defaultConfig({
        name: wishes.name ?? hostName(),
        sstp: await sstpAddress(wishes.port, say),
        firstPort: await freeLoopbackPorts(PORTS_NEEDED),
        uplink: missing === undefined ? "tun" : "null",
        ipv6Prefix: uniqueLocalPrefix(randomBytes(GLOBAL_ID_SIZE)),
        ...freeNetwork(),
    });
    await writeWhole(layout.config, text, PUBLIC_MODE);
    say(`wrote ${layout.config}`);
}

async function sstpAddress(wanted: number | undefined, say: Say): Promise<ListenAddress> {
    // `::` takes IPv4 too, but is not there on hosts without IPv6.
    const host = (await refusalToListen(0, "::")) === undefined ? "::" : "0.0.0.0";
    if (wanted !== undefined) return { host, port: wanted };
    if ((await refusalToListen(SSTP_PORT, host)) !== "EACCES") return { host, port: SSTP_PORT };
    say(`port ${SSTP_PORT} needs privileges: using ${UNPRIVILEGED_SSTP_PORT}`);
    return { host, port: UNPRIVILEGED_SSTP_PORT };
}

/** A pool and device names that no interface of this host has. */
function freeNetwork(): { poolOctet: number; firstDevice: number } {
    const interfaces = Object.entries(networkInterfaces());
    const addresses = interfaces.flatMap(([, list]) => (list ?? []).map(({ address }) => address));
    const octets = Array.from({ length: LAST_OCTET - FIRST_OCTET + 1 }, (_, index) => FIRST_OCTET + index);
    const free = octets.find((octet) => !addresses.some((address) => address.startsWith(`10.${octet}.`)));
    const devices = interfaces.map(([name]) => Number(/^pst(\d+)$/.exec(name)?.[1] ?? -1));
    return { poolOctet: free ?? FIRST_OCTET, firstDevice: Math.max(-1, ...devices) + 1 };
}

const FIRST_OCTET = 91;
const LAST_OCTET = 119;

const GLOBAL_ID_SIZE = 5;

/** RFC 4193 §3.1: fd00::/8 and 40 random bits, which no network that this one ever meets should have, too. */
function uniqueLocalPrefix(globalId: Buffer): string {
    const hex = `fd${globalId.toString("hex")}`;
    return (hex.match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16).toString(16)).join(":");
}

/** Somebody who asks for another port gets it: one value of postern.yaml changes, the rest stays as it was written. */
async function changePort(layout: StateLayout, { port }: Wishes, say: Say): Promise<void> {
    const [listen] = loadConfig(layout.config).ingress.listen;
    if (port === undefined || listen === undefined || listen.port === port) return;
    const address = writtenAddress({ host: listen.host, port });
    const document = parseDocument((await readIfThere(layout.config)) ?? "");
    document.setIn(["ingress", "listen", 0], address);
    await writeWhole(layout.config, document.toString({ lineWidth: 0 }), PUBLIC_MODE);
    say(`ingress.listen in ${layout.config} is now ${address} (was ${listen.port})`);
}
