// IPv6 inside the tunnel, as `make start` configures it: a network for each session, the way to a host behind the gateway, and what
// a client may not send.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { fromHex } from "@postern/bytes";
import {
    formatIpv6,
    informationRequest,
    type Ipv6Cidr,
    ipv6CidrContains,
    linkLocalAddress,
    parseCidr,
    parseIpv6,
    readInformationReply,
} from "@postern/ip";
import { encodeIpv6EchoRequest, type SstpClient } from "@postern/sstp-client";
import { eventually } from "@postern/testkit";
import { loadConfig } from "@postern/config";
import { NetworkNamespace } from "../interop/network-namespace.ts";
import { type EventWatch, Installation } from "./installation.ts";

const PORT = 14_436;
const OUTSIDE = "2001:db8:1::1";
const SERVER = "2001:db8:1::2";
const TRANSACTION = 0x12_3456;

interface SessionRow {
    readonly session: string;
    readonly worker: string;
    readonly ipv6Prefix?: string;
}

let postern: Installation;
let behind: NetworkNamespace;
let events: EventWatch;
let gateway: string;

const ip = (...args: readonly string[]): string => execFileSync("ip", args, { encoding: "utf8" });

before(async () => {
    behind = await NetworkNamespace.create("behind");
    ip("link", "add", "outside", "type", "veth", "peer", "name", "inside", "netns", behind.name);
    ip("address", "add", `${OUTSIDE}/64`, "dev", "outside", "nodad");
    ip("link", "set", "outside", "up");
    await behind.ip("address", "add", `${SERVER}/64`, "dev", "inside", "nodad");
    await behind.ip("link", "set", "inside", "up");
    postern = await Installation.start({ port: PORT });
    events = await postern.watchEvents();
    const { uplink } = loadConfig(postern.ready.config)["session-worker"];
    gateway = uplink.ipv6?.gateway ?? assert.fail("make start configures IPv6");
});

after(async () => {
    await events[Symbol.asyncDispose]();
    await postern[Symbol.asyncDispose]();
    await behind[Symbol.asyncDispose]();
});

const sessions = (): Promise<readonly SessionRow[]> => postern.query<readonly SessionRow[]>("sessions");

const untilSessions = (count: number): Promise<readonly SessionRow[]> =>
    eventually(
        async () => {
            const rows = await sessions();
            assert.equal(rows.length, count, JSON.stringify(rows));
            return rows;
        },
        { within: 15_000 },
    );

function networkOf(prefix: string): Ipv6Cidr {
    const cidr = parseCidr(prefix);
    return cidr.version === 6 ? cidr : assert.fail(prefix);
}

const dropped = (reason: string): Promise<number> =>
    postern.metric("session-worker", `postern_session_worker_session_drops_total\\{reason="${reason}"[^}]*\\}`);
const writtenToDevices = (): Promise<number> =>
    postern.metric("session-worker", 'postern_session_worker_uplink_packets_total\\{direction="out"[^}]*\\}');

/** Packets that are sent in order and counted when the last one's answer is there. */
async function settled(client: SstpClient): Promise<void> {
    await client.ping(gateway);
}

test("a client is told its network, which the records have too, and reaches gateway and hosts behind it", async () => {
    const client = await postern.dial();
    const network = await client.untilIpv6Network();
    const [row] = await untilSessions(1);
    assert.equal(row?.ipv6Prefix, network.prefix);
    await events.find("session.started", { session: row.session, ipv6Prefix: network.prefix });
    assert.ok(ipv6CidrContains(networkOf(network.prefix), parseIpv6(network.address)));
    assert.deepEqual([network.router, network.mtu], ["fe80::1", 1_400]);
    for (const destination of [gateway, SERVER, network.router]) await client.ping(destination);
    await client.ping(gateway, { size: 1_352 });
    await client.ping(postern.ready.gateway);
    await client.disconnect();
    await untilSessions(0);
});

test("a client that asks by DHCPv6 is told the name servers that the advertisement has", async () => {
    const client = await postern.dial();
    const { dns } = await client.untilIpv6Network();
    const interfaceId = client.ipv6?.interfaceId ?? assert.fail("IPV6CP is not open");
    client.sendIp(informationRequest(linkLocalAddress(fromHex(interfaceId)), TRANSACTION, Uint8Array.of(0, 4, 1, 2)));
    const servers = await eventually(
        async () => readInformationReply(await client.nextIpPacket(), TRANSACTION) ?? assert.fail("another packet"),
        { within: 5_000 },
    );
    assert.deepEqual(
        servers.map((server) => formatIpv6(server)),
        dns,
    );
    await client.disconnect();
    await untilSessions(0);
});

test("another source, or another's network, never reaches the device", async () => {
    const client = await postern.dial();
    await client.untilIpv6Network();
    const [foreignBefore, writtenBefore] = [await dropped("foreign-source"), await writtenToDevices()];
    const own = client.ipv6Network?.prefix ?? "";
    const next = networkOf(own).network.map((byte, at) => (at === 7 ? byte ^ 1 : byte));
    const foreign = [next, parseIpv6("2001:db8::1"), parseIpv6("fe80::77"), parseIpv6("::1")];
    for (const source of foreign) {
        for (const destination of [SERVER, "fe80::1"]) {
            const fields = { identifier: 1, sequence: 1, dataSize: 8 };
            client.sendIp(encodeIpv6EchoRequest({ ...fields, source, destination: parseIpv6(destination) }));
        }
    }
    await settled(client);
    assert.equal((await writtenToDevices()) - writtenBefore, 1, "the last ping alone");
    assert.equal((await dropped("foreign-source")) - foreignBefore, 2 * foreign.length);
    await client.disconnect();
    await untilSessions(0);
});

test("clients do not reach one another, on one worker or on two", async () => {
    const clients = await Promise.all([1, 2, 3].map(() => postern.dial()));
    const networks = await Promise.all(clients.map((client) => client.untilIpv6Network()));
    assert.equal(new Set(networks.map(({ prefix }) => prefix)).size, 3);
    for (const [index, client] of clients.entries()) {
        for (const [other, { address }] of networks.entries()) {
            if (other !== index) await assert.rejects(client.ping(address, { timeout: 300 }), /PING_UNANSWERED/);
        }
        await client.ping(SERVER);
    }
    await Promise.all(clients.map((client) => client.disconnect()));
    await untilSessions(0);
});

test("a client whose worker is killed comes back to its network on another one", async () => {
    const first = await postern.dial();
    const { prefix } = await first.untilIpv6Network();
    const [row] = await untilSessions(1);
    const pid = postern.ready.pids["session-worker"]?.[row?.worker === "worker-1" ? 0 : 1];
    process.kill(pid ?? assert.fail("no worker"), "SIGKILL");
    await first.closed;
    // Who redials before the registry has noticed may get another network: the old session has its own until then.
    await untilSessions(0);
    const second = await eventually(() => postern.dial(), { within: 15_000 });
    const network = await second.untilIpv6Network();
    assert.equal(network.prefix, prefix);
    await second.ping(SERVER);
    await second.disconnect();
});
