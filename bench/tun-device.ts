// How fast packets move through libs/tun, per CPU-second of the process that moves them.  Needs root and iperf3; run it as
//   unshare --net node_modules/.bin/node bench/tun-device.ts
// One process reads each of two TUN devices and writes what it read to the other.  The second device lies in a namespace of
// its own, so that iperf3's two ends talk through both:
//   iperf3 -c ── pst0 ══ this process ══ pst1 ── iperf3 -s
// A CPU-second holds what the kernel does within our system calls, half of the two TCP stacks among it.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { json } from "node:stream/consumers";
import { InvariantError } from "@postern/errors";
import { type DataPath, openTun, type TunDevice } from "@postern/tun";

const NEAR = "10.91.0.1";
const FAR = "10.91.0.5";
const MTU = 1400;
const SECONDS = 5;

const ip = (command: string): Buffer => execFileSync("ip", command.split(" "));

/** What comes out of one device goes into the other, as if their peers were one program. */
function connect(from: TunDevice, to: () => DataPath): DataPath {
    const path = from.pathToAll({
        gate: { ipv4Open: true, peerMru: MTU },
        egress: {
            room: Infinity,
            sendData: (bytes, done) => {
                to().take(bytes, 0, bytes.length, true);
                // The bytes have to last until this turn of the event loop is over.
                setImmediate(done);
                return true;
            },
        },
        onControlFrame: () => undefined,
    });
    path.refresh();
    from.start((error) => {
        throw error;
    });
    return path;
}

interface Iperf3Report {
    readonly end: { readonly sum_received?: Received; readonly sum?: Received };
}
interface Received {
    readonly bytes: number;
    readonly seconds: number;
}

async function measure(name: string, ...args: readonly string[]): Promise<void> {
    const before = { cpu: process.cpuUsage(), packets: packetsRead() };
    const command = ["-c", FAR, "-B", NEAR, "-J", "-t", String(SECONDS), ...args];
    const client = spawn("iperf3", command, { stdio: ["ignore", "pipe", "inherit"] });
    const [report] = await Promise.all([json(client.stdout) as Promise<Iperf3Report>, once(client, "close")]); // as iperf3 documents it
    const received = report.end.sum_received ?? report.end.sum;
    if (received === undefined) throw new InvariantError(`iperf3 ${command.join(" ")} reported nothing`);
    const used = process.cpuUsage(before.cpu);
    const cpuSeconds = (used.user + used.system) / 1e6;
    const packets = packetsRead() - before.packets;
    const gigabits = (received.bytes * 8) / 1e9;
    const figures = [
        `${(gigabits / received.seconds).toFixed(2)} Gbit/s`,
        `${(gigabits / cpuSeconds).toFixed(2)} Gbit per CPU-second`,
        `${Math.round(packets / cpuSeconds / 1000)} k packets per CPU-second (read and written)`,
        `${((100 * used.user) / (used.user + used.system)).toFixed(0)} % of it outside the kernel`,
    ];
    console.log(`${name}: ${figures.join(", ")}`);
}

ip("link set lo up");
const near = openTun({ name: "pst0", mtu: MTU, gateways: [NEAR], sessions: 1 });
const far = openTun({ name: "pst1", mtu: MTU, gateways: [], sessions: 1 });
ip(`route add ${FAR}/32 dev pst0`);
const packetsRead = (): number => near.counters().packetsIn + far.counters().packetsIn;

const holder = spawn("unshare", ["--net", "sh", "-c", "echo ready; read line; exec iperf3 -s --forceflush"]);
await once(holder.stdout, "data");
const inFarNamespace = (command: string): Buffer =>
    execFileSync("nsenter", ["-t", String(holder.pid), "-n", ...command.split(" ")]);
ip(`link set pst1 netns ${holder.pid}`);
inFarNamespace("ip link set lo up");
inFarNamespace("ip link set pst1 up");
inFarNamespace(`ip address add ${FAR}/32 dev pst1`);
inFarNamespace(`ip route add ${NEAR}/32 dev pst1`);
holder.stdin.write("\n");
await once(holder.stdout, "data");

const nearPath: DataPath = connect(near, () => farPath);
const farPath: DataPath = connect(far, () => nearPath);
await measure("TCP, one stream");
await measure("TCP, one stream, the other way", "-R");
await measure("TCP, eight streams", "-P", "8");
await measure("UDP, 64 bytes", "-u", "-b", "0", "-l", "64");
console.log(near.counters(), far.counters());
holder.kill("SIGKILL");
near.close();
far.close();
