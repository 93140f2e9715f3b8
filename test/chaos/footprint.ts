// What an installation holds: in its processes, in the kernel, in NATS.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { type Bucket, type Bus, countConsumers } from "@postern/bus";
import { SERVICES } from "@postern/contracts";
import type { Installation } from "../e2e/installation.ts";
import { COLLECT, type Inspection } from "./inspection.ts";

const run = promisify(execFile);
const MIB = 1024 * 1024;

/** One process; sizes in MiB. */
export interface ProcessFootprint {
    readonly files: number;
    readonly resident: number;
    /** `undefined` of NATS. */
    readonly heap: number | undefined;
    readonly buffers: number | undefined;
    readonly timers: number;
    readonly handles: number;
}

export interface Footprint {
    readonly processes: Readonly<Record<string, ProcessFootprint>>;
    /** Counts that are to be as they were. */
    readonly counts: Readonly<Record<string, number>>;
}

/** All but those that the kernel keeps for a minute after the end. */
const OPEN = ["established", "syn-recv", "fin-wait-1", "fin-wait-2", "close-wait", "last-ack", "closing"];
const GAUGES = [
    ["ingress", "postern_ingress_connections"],
    ["ingress", "postern_ingress_sources"],
    ["session-worker", "postern_session_worker_sessions"],
    ["auth-broker", "postern_auth_broker_conversations"],
] as const;

export interface FootprintPorts {
    readonly postern: Installation;
    /** The directory of `POSTERN_INSPECTION`. */
    readonly inspection: string;
    /** With the operator's rights. */
    readonly bus: Bus;
    readonly buckets: readonly Bucket<unknown>[];
}

/** With `collect`, sizes are those of what is alive; it costs every process a fraction of a second. */
export async function footprintOf(
    { postern, inspection, bus, buckets }: FootprintPorts,
    { collect }: { readonly collect: boolean },
): Promise<Footprint> {
    const processes: Record<string, ProcessFootprint> = {};
    for (const group of ["nats", ...SERVICES] as const) {
        for (const [index, pid] of (postern.ready.pids[group] ?? []).entries()) {
            const inside = group === "nats" ? undefined : await inspect(path.join(inspection, `${pid}.sock`), collect);
            processes[`${group}-${index + 1}`] = footprintOfProcess(pid, inside);
        }
    }
    const clients = [`sport = :${postern.ready.sstp.port}`];
    const counts: Record<string, number> = {
        "sockets of clients": await lines("ss", ["-Htan", ...OPEN.flatMap((state) => ["state", state]), ...clients]),
        routes: await lines("ip", ["-4", "route", "show", "table", "all"]),
        "consumers of JetStream": await countConsumers(bus),
        "lines of nftables": await lines("nft", ["list", "ruleset"]),
    };
    for (const [service, name] of GAUGES) counts[name] = await postern.metric(service, name);
    for (const bucket of buckets) counts[`keys in ${bucket.name}`] = (await bucket.keys()).length;
    return { processes, counts };
}

function footprintOfProcess(pid: number, inside: Inspection | undefined): ProcessFootprint {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const { Timeout = 0, Immediate = 0, ...handles } = inside?.resources ?? {};
    return {
        files: readdirSync(`/proc/${pid}/fd`).length,
        resident: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024,
        heap: inside === undefined ? undefined : inside.heap / MIB,
        buffers: inside === undefined ? undefined : inside.buffers / MIB,
        timers: Timeout + Immediate,
        handles: Object.values(handles).reduce((sum, count) => sum + count, 0),
    };
}

async function inspect(path: string, collect: boolean): Promise<Inspection> {
    const socket = connect(path);
    socket.write(collect ? COLLECT : "look");
    return JSON.parse(await text(socket)) as Inspection; // of inspection.ts
}

async function lines(command: string, args: readonly string[]): Promise<number> {
    const { stdout } = await run(command, args, { maxBuffer: 64 * MIB });
    return stdout.split("\n").filter((line) => line !== "").length;
}
