// A client, a server and a host behind it, on wires that lose packets, and bulk data between the client and that host through one
// session (the network is that of ../interop/topology.ts):
//
//     client ══ loses ══ server: ingress, worker ══ loses ══ inside
//
// On the first wire it is the outer connection that loses packets, and the tunnel stands still until they are repeated; on the
// second the connections inside do, and what they repeat, or get out of order, goes through the tunnel.
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { InvariantError } from "@postern/errors";
import { parseDocument } from "yaml";
import { LoadClient } from "../../bench/client/load-client.ts";
import { startFileServer } from "../interop/file-transfer.ts";
import { keyStreamSha256 } from "../interop/key-stream.ts";
import type { NetworkNamespace } from "../interop/network-namespace.ts";
import { type RunningPostern, startPostern } from "../interop/running-postern.ts";
import type { StreamDigest } from "../interop/stream-digest.ts";
import { ADDRESSES, createTopology, OUTSIDE_INTERFACE, type Topology } from "../interop/topology.ts";
import { PacketLoss } from "./packet-loss.ts";

const NAME = "vpn.example.test";
const PORT = 443;
const DEFAULT_MTU = 1_400;
const PROGRAM = fileURLToPath(new URL("transfer-main.ts", import.meta.url));

type WireEnd = readonly [NetworkNamespace, device: string];
const outerEnds = ({ client, server }: Topology): WireEnd[] => [
    [server, OUTSIDE_INTERFACE],
    [client, "br0"],
];
const innerEnds = ({ server, inside }: Topology): WireEnd[] => [
    [server, "inside"],
    [inside, "eth0"],
];

/** `up` is from the client. */
export type Direction = "down" | "up";
/** Of what is inside the tunnel. */
export type Family = "IPv4" | "IPv6";

export interface TransferBedOptions {
    /** Of the tunnel, at both ends; default postern's. */
    readonly mtu?: number;
    /** Bytes of the largest packet, or super-packet, that is on a wire, and is lost as a whole. */
    readonly largestOnWire: number;
    /** Of 1,000 packets on each wire, in each direction, this many are lost. */
    readonly lossPerMille: number;
}

/** Packets. */
export interface Losses {
    /** Of the connection that the tunnel is in. */
    readonly outer: number;
    /** Of the connections in the tunnel. */
    readonly inner: number;
}

export interface Transfer {
    readonly received: StreamDigest;
    /** What the checksum must be. */
    readonly sha256: string;
    readonly seconds: number;
    /** Meanwhile. */
    readonly lost: Losses;
}

interface Parts {
    readonly topology: Topology;
    readonly postern: RunningPostern;
    readonly client: LoadClient;
    /** Of the file server, by what is inside the tunnel. */
    readonly urls: Readonly<Record<Family, string>>;
    readonly wires: Readonly<Record<keyof Losses, readonly PacketLoss[]>>;
    readonly resources: AsyncDisposable;
}

export class TransferBed implements AsyncDisposable {
    readonly #parts: Parts;

    private constructor(parts: Parts) {
        this.#parts = parts;
    }

    static async start({ mtu = DEFAULT_MTU, largestOnWire, lossPerMille }: TransferBedOptions): Promise<TransferBed> {
        await using made = new AsyncDisposableStack();
        const topology = made.use(await createTopology());
        const { client, server, inside } = topology;
        for (const [namespace, device] of [...outerEnds(topology), ...innerEnds(topology)]) {
            await namespace.ip("link", "set", "dev", device, "gso_max_size", String(largestOnWire));
        }
        const configuration = mtu === DEFAULT_MTU ? {} : { configure: (yaml: string) => withMtu(yaml, mtu) };
        const postern = made.use(await startPostern(server, { name: NAME, port: PORT, ...configuration }));
        const urls = {
            IPv4: await startFileServer(inside, ADDRESSES.inside),
            IPv6: await startFileServer(inside, ADDRESSES.insideIpv6),
        };
        const { user, password, ca } = await postern.ready();
        const dial = { server: `${ADDRESSES.server}:${PORT}`, servername: NAME, ca, user };
        const loadClient = made.use(
            await LoadClient.start(
                client,
                { ...dial, mtu, reach: ADDRESSES.inside, "reach-ipv6": ADDRESSES.insideIpv6 },
                password,
            ),
        );
        const lossesOf = (ends: readonly WireEnd[]): Promise<PacketLoss[]> =>
            Promise.all(ends.map(([namespace, device]) => PacketLoss.inject(namespace, device, lossPerMille)));
        const wires = { outer: await lossesOf(outerEnds(topology)), inner: await lossesOf(innerEnds(topology)) };
        return new TransferBed({ topology, postern, client: loadClient, urls, wires, resources: made.move() });
    }

    /** Sends `bytes` bytes one way. */
    async send(family: Family, direction: Direction, bytes: number): Promise<Transfer> {
        const { topology, urls } = this.#parts;
        const before = await this.#lost();
        const begun = performance.now();
        const { NODE_TEST_CONTEXT: _runner, ...env } = process.env;
        const program = topology.client.spawn(process.execPath, [PROGRAM, direction, urls[family], String(bytes)], {
            env,
            stdio: ["ignore", "pipe", "inherit"],
        });
        const output = program.stdout === null ? "" : await text(program.stdout);
        if (output === "") throw new InvariantError(`no ${bytes} bytes of ${family} ${direction} through the tunnel`);
        const seconds = (performance.now() - begun) / 1_000;
        const after = await this.#lost();
        return {
            received: JSON.parse(output) as StreamDigest, // of transfer-main.ts
            sha256: keyStreamSha256(bytes),
            seconds,
            lost: { outer: after.outer - before.outer, inner: after.inner - before.inner },
        };
    }

    /** Whether the client still has the session that it began with. */
    get isOpen(): boolean {
        return this.#parts.client.isRunning;
    }

    /** The ids of the sessions that the registry has. */
    async sessions(): Promise<string[]> {
        const rows = JSON.parse(await this.#parts.postern.cli("sessions", "--json")) as { session: string }[]; // of the CLI
        return rows.map(({ session }) => session);
    }

    /** Values of the workers' counter `name`, summed up for each value of `label`; there are some. */
    async counter(name: string, label: string): Promise<Record<string, number>> {
        const { postern, topology } = this.#parts;
        const { admin } = await postern.ready();
        const sums: Record<string, number> = {};
        for (const url of admin["session-worker"] ?? []) {
            const metrics = await topology.server.run("curl", "-sS", "--fail", `${url}/metrics`);
            const lines = metrics.matchAll(
                new RegExp(`^postern_session_worker_${name}\\{.*?${label}="([^"]*)".*?\\} (\\S+)$`, "gm"),
            );
            for (const [, value = "", number] of lines) sums[value] = (sums[value] ?? 0) + Number(number);
        }
        if (Object.keys(sums).length === 0) throw new InvariantError(`workers have no counter ${name} by ${label}`);
        return sums;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.#parts.resources[Symbol.asyncDispose]();
    }

    async #lost(): Promise<Losses> {
        const sum = async (losses: readonly PacketLoss[]): Promise<number> => {
            const counts = await Promise.all(losses.map((loss) => loss.dropped()));
            return counts.reduce((total, count) => total + count, 0);
        };
        const { outer, inner } = this.#parts.wires;
        return { outer: await sum(outer), inner: await sum(inner) };
    }
}

function withMtu(yaml: string, mtu: number): string {
    const document = parseDocument(yaml);
    document.setIn(["session-worker", "ppp"], { mtu });
    return document.toString({ lineWidth: 0 });
}
