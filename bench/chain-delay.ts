// How long a byte waits between a worker and a client that is slower, and what the ingress costs, by TCP_NOTSENT_LOWAT of the
// sockets in between.  Needs root; run it as
//   unshare --net --mount node_modules/.bin/node bench/chain-delay.ts
// One process each writes all that it can (64 KiB of its own wait at most), relays, and reads:
//   worker ── loopback ── ingress (relay.ts) ── veth, tbf ── client, in a namespace of its own
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { InvariantError } from "@postern/errors";
import { tune } from "@postern/tcp";
import { relay } from "../services/ingress/src/relay.ts";

const WORKER = { host: "127.0.0.1", port: 15_001 };
const INGRESS = { host: "10.200.0.1", port: 15_002 };
const FRAME = 16_384;
const QUEUE = 65_536;
const WARM_UP = 2_000;
const SECONDS = Number(process.env["BENCH_SECONDS"] ?? 4);

/** KiB: the limit of unsent bytes, and the receive buffer of the ingress' side of the link; 0 leaves it to the kernel. */
const VARIANTS = [
    [0, 0],
    [128, 0],
    [128, 256],
    [128, 128],
    [128, 64],
    [64, 128],
] as const;
const PATHS = ["unlimited", "200mbit", "20mbit", "slow reader"] as const;
type PathKind = (typeof PATHS)[number];
/** Bytes a second that the slow reader reads. */
const SLOW = 2_500_000;

/** Milliseconds of a clock that all processes share. */
const clock = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

const optionsOf = (lowat: number, receive = 0) => ({
    noDelay: true,
    ...(lowat === 0 ? {} : { notSentLowat: lowat * 1_024 }),
    ...(receive === 0 ? {} : { receiveBuffer: receive * 1_024 }),
});

function runWorker(lowat: number): void {
    createServer((socket) => {
        tune(socket, optionsOf(lowat));
        const fill = (): void => {
            while (socket.writable && socket.writableLength < QUEUE) {
                const frame = Buffer.alloc(FRAME);
                frame.writeDoubleLE(clock());
                socket.write(frame);
            }
        };
        socket.on("drain", fill).on("error", () => undefined);
        fill();
    }).listen(WORKER, () => process.stdout.write("ready\n"));
}

function runIngress(lowat: number, receive: number): void {
    const carry = async (client: Socket): Promise<void> => {
        const worker = connect({ ...WORKER, allowHalfOpen: true });
        await once(worker, "connect");
        tune(client, optionsOf(lowat));
        tune(worker, optionsOf(lowat, receive));
        const before = process.cpuUsage();
        const none = { passedOn: 0, answer: new Uint8Array(0), onEnding: () => undefined };
        const end = await relay(client, worker, { ...none, idleTimeout: 60_000 }).closed;
        const { user, system } = process.cpuUsage(before);
        process.stdout.write(`${(user + system) / 1e6 / ((end.bytesOut * 8) / 1e9)}\n`);
        process.exit();
    };
    createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => void carry(client)).listen(INGRESS, () =>
        process.stdout.write("ready\n"),
    );
}

/** Prints throughput in Mbit/s, then the median and the 99th percentile of the delay in milliseconds. */
async function runClient(isSlow: boolean): Promise<void> {
    const socket = connect(INGRESS);
    const delays: number[] = [];
    const stamp = Buffer.alloc(8);
    let [at, begun, bytes] = [0, 0, 0];
    socket.on("data", (chunk: Buffer) => {
        const now = clock();
        for (let read = 0; read < chunk.length;) {
            const inFrame = at % FRAME;
            const step = Math.min(chunk.length - read, inFrame < 8 ? 8 - inFrame : FRAME - inFrame);
            if (inFrame < 8) chunk.copy(stamp, inFrame, read, read + step);
            if (inFrame < 8 && inFrame + step === 8 && begun > 0) delays.push(now - stamp.readDoubleLE());
            read += step;
            at += step;
        }
        if (begun > 0) bytes += chunk.length;
        if (isSlow) pause(socket, chunk.length);
    });
    await once(socket, "data");
    await delay(WARM_UP);
    begun = clock();
    await delay(SECONDS * 1_000);
    const rate = (bytes * 8) / (clock() - begun) / 1_000;
    const sorted = Float64Array.from(delays).sort();
    const quantile = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
    process.stdout.write(`${[rate, quantile(0.5), quantile(0.99)].join(" ")}\n`);
    socket.destroy();
}

function pause(socket: Socket, read: number): void {
    socket.pause();
    setTimeout(() => socket.resume(), (1_000 * read) / SLOW);
}

const ip = (command: string): Buffer => execFileSync("ip", command.split(" "));

async function start(role: string, values: readonly number[], before: readonly string[] = []): Promise<ChildProcess> {
    const own = [process.execPath, import.meta.filename, role, ...values.map(String)];
    const [program = process.execPath, ...rest] = [...before, ...own];
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
    if (role !== "client") await once(child.stdout, "data");
    return child;
}

const outputOf = async ({ stdout }: ChildProcess): Promise<string> => {
    if (stdout === null) throw new InvariantError("a process without output");
    return text(stdout);
};

async function measure(kind: PathKind, limits: readonly number[], inside: readonly string[]): Promise<string> {
    if (kind.endsWith("mbit")) {
        const shape = `qdisc replace dev veth-here root tbf rate ${kind} burst 64kb latency 50ms`;
        execFileSync("tc", shape.split(" "));
    }
    const worker = await start("worker", limits);
    const ingress = await start("ingress", limits);
    const client = await start("client", [Number(kind === "slow reader")], inside);
    const [figures, cost] = await Promise.all([outputOf(client), outputOf(ingress)]);
    worker.kill();
    if (kind.endsWith("mbit")) execFileSync("tc", ["qdisc", "del", "dev", "veth-here", "root"]);
    const [rate, median, high] = figures.split(" ").map((figure) => Number(figure).toFixed(1));
    return `${rate} Mbit/s, delay ${median} / ${high} ms, ingress ${Number(cost).toFixed(3)} CPU-s per Gbit`;
}

async function main(): Promise<void> {
    ip("link set lo up");
    const holder = spawn("unshare", ["--net", "sh", "-c", "echo ready; exec sleep infinity"], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    const inside = ["nsenter", "-t", String(holder.pid), "-n"];
    ip(`link add veth-here type veth peer name veth-there netns ${holder.pid}`);
    ip(`address add ${INGRESS.host}/24 dev veth-here`);
    ip("link set veth-here up");
    for (const command of ["address add 10.200.0.2/24 dev veth-there", "link set veth-there up"])
        execFileSync("nsenter", [...inside.slice(1), "ip", ...command.split(" ")]);
    for (const control of (process.env["BENCH_CONTROL"] ?? "reno,bbr").split(",")) {
        execFileSync("sysctl", ["-qw", `net.ipv4.tcp_congestion_control=${control}`]);
        for (const kind of PATHS) {
            for (const limits of VARIANTS) {
                const figures = await measure(kind, limits, inside);
                process.stdout.write(
                    `${control.padEnd(6)}${kind.padEnd(12)}${limits.join(" / ").padEnd(10)}${figures}\n`,
                );
            }
        }
    }
    holder.kill();
}

const [, , role = "", ...values] = process.argv;
const [first = 0, second = 0] = values.map(Number);
if (role === "worker") runWorker(first);
else if (role === "ingress") runIngress(first, second);
else if (role === "client") await runClient(first === 1);
else await main();
