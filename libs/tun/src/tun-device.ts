// A TUN device: the worker's side of the network.  "In" is what the kernel routes to clients, "out" what clients send.
import { InvariantError, type DependencyError } from "@postern/errors";
import { encodeIpv4, formatCidr, parseCidr, type Ipv4Cidr, type Ipv6Cidr } from "@postern/ip";
import { NO_SLOT, RUN_WORDS, SharedMemory, loadAddon, type DeviceHandle, type TunAddon } from "./addon.ts";
import { DEFAULT_POOL_BYTES, DEFAULT_QUEUE_LENGTH, DEFAULT_ROUTE_PROTOCOL, HEADROOM, MAX_SLOT } from "./constants.ts";
import { kernelError } from "./kernel-error.ts";
import { PacketRun } from "./packet-run.ts";
import { readQueueDrops } from "./queue-drops.ts";
import { Rtnetlink } from "./rtnetlink.ts";
import { SlabPool } from "./slab-pool.ts";

type Cidr = Ipv4Cidr | Ipv6Cidr;

export interface TunOptions {
    /** At most 15 characters; the kernel puts the next free number in the place of `%d`. */
    readonly name: string;
    /** The largest packet in bytes, 1,280 at least where there is IPv6. */
    readonly mtu: number;
    /** Our addresses on the device, such as `10.91.0.1`: each a /32 or /128, so that several devices may have the same. */
    readonly gateways: readonly string[];
    /** The protocol number of session routes, 1 to 255. */
    readonly routeProtocol?: number;
    /** Packets that may wait in the kernel for a wake-up. */
    readonly queueLength?: number;
    /** Bytes of free memory kept for the next runs. */
    readonly poolBytes?: number;
}

export interface TunHandlers {
    /** Takes one session's packets of this wake-up; the last thing done with a run is its `release`. */
    readonly onRun: (run: PacketRun) => void;
    /** The device was deleted under us, once; nothing is read any more. */
    readonly onLost: (error: DependencyError) => void;
}

export interface TunCounters {
    readonly packetsIn: number;
    readonly bytesIn: number;
    readonly packetsOut: number;
    readonly bytesOut: number;
    /** Read from the device, and neither IPv4 nor IPv6. */
    readonly dropsNotIp: number;
    /** For a destination that no session here has: multicast, or a session that has just ended. */
    readonly dropsNoSession: number;
    /** Dropped by the kernel before we read them, because the device's queue was full. */
    readonly dropsInQueueFull: number;
    /** Written by us, with no room in the kernel. */
    readonly dropsOutQueueFull: number;
    /** Written by us and refused by the kernel as malformed. */
    readonly dropsOutRefused: number;
}

/** Creates a device, configures it and sets it up; throws a `DependencyError` that says what the kernel refused. */
export function openTun(options: TunOptions): TunDevice {
    if (!/^[a-zA-Z][\w-]*(?:%d)?$/.test(options.name) || options.name.length > 15) {
        throw new InvariantError(`interface name ${options.name}`);
    }
    const addon = loadAddon();
    const shared = new SharedMemory();
    const handle = addon.open(options.name, HEADROOM, shared.bytes);
    if (typeof handle === "number") {
        throw kernelError("TUN_OPEN_FAILED", `creating the TUN device ${options.name}`, handle);
    }
    const device = new TunDevice(addon, handle, shared, options);
    try {
        device.configure(options);
    } catch (error) {
        device.close();
        throw error;
    }
    return device;
}

/** An open device.  `openTun` makes one. */
export class TunDevice {
    readonly name: string;
    /** The interface's number. */
    readonly index: number;
    readonly mtu: number;
    readonly #addon: TunAddon;
    readonly #handle: DeviceHandle;
    readonly #shared: SharedMemory;
    readonly #netlink: Rtnetlink;
    readonly #routeProtocol: number;
    readonly #pool: SlabPool;
    readonly #slabs: Buffer[] = [];
    readonly #destinations = new Map<number, readonly Cidr[]>();
    /** Which slot each destination leads to: the newer one, where a session comes before its predecessor has gone. */
    readonly #owners = new Map<string, number>();
    #queueDrops = 0;
    #isOpen = true;

    constructor(addon: TunAddon, handle: DeviceHandle, shared: SharedMemory, options: TunOptions) {
        this.name = shared.name;
        this.index = shared.index;
        this.mtu = options.mtu;
        this.#addon = addon;
        this.#handle = handle;
        this.#shared = shared;
        this.#netlink = new Rtnetlink((message) => addon.netlink(message), this);
        this.#routeProtocol = options.routeProtocol ?? DEFAULT_ROUTE_PROTOCOL;
        this.#pool = new SlabPool(options.poolBytes ?? DEFAULT_POOL_BYTES);
    }

    /** Sets MTU, queue and addresses, and the interface up: what `openTun` does. */
    configure({ mtu, gateways, queueLength }: TunOptions): void {
        this.#netlink.disableAutomaticIpv6();
        this.#netlink.bringUp(mtu, queueLength ?? DEFAULT_QUEUE_LENGTH);
        for (const gateway of gateways) this.addAddress(gateway);
    }

    /** Adds an address of ours, a /32 or /128. */
    addAddress(address: string): void {
        this.#netlink.addAddress(parseCidr(address));
    }

    /** Takes an address of ours away. */
    deleteAddress(address: string): void {
        this.#netlink.deleteAddress(parseCidr(address));
    }

    /**
     * Begins to read.  Handlers are called from the event loop, never from here; what they throw nobody catches, and the
     * runs of that wake-up that had not been delivered are lost.
     */
    start({ onRun, onLost }: TunHandlers): void {
        const errno = this.#addon.start(this.#handle, (runsOrErrno) => {
            if (runsOrErrno < 0) onLost(kernelError("TUN_OPEN_FAILED", `reading ${this.name}`, runsOrErrno));
            else this.#deliver(runsOrErrno, onRun);
        });
        if (errno < 0) throw kernelError("TUN_OPEN_FAILED", `watching ${this.name}`, errno);
    }

    /**
     * From now on packets to `destinations` (IPv4 /32, IPv6 /64 or /128) come in runs of `slot`, a small number that no
     * session has at the moment, and the kernel routes them here.  `mtu` is what the session's client takes, where that is
     * less than the device's MTU.
     */
    addSession(slot: number, destinations: readonly Cidr[], mtu?: number): void {
        if (slot < 0 || slot > MAX_SLOT || this.#destinations.has(slot))
            throw new InvariantError(`session slot ${slot}`);
        this.#destinations.set(slot, destinations);
        try {
            for (const destination of destinations) {
                this.#bind(destination, slot);
                this.#owners.set(formatCidr(destination), slot);
                this.#netlink.setRoute(destination, this.#routeProtocol, mtu);
            }
        } catch (error) {
            this.removeSession(slot);
            throw error;
        }
    }

    /**
     * Undoes `addSession`; does nothing for a slot without a session.  A destination that another session has taken over,
     * here or on another device, stays with it.
     */
    removeSession(slot: number): void {
        const destinations = this.#destinations.get(slot) ?? [];
        this.#destinations.delete(slot);
        for (const destination of destinations) {
            const key = formatCidr(destination);
            if (this.#owners.get(key) !== slot) continue;
            this.#owners.delete(key);
            this.#bind(destination, NO_SLOT);
            this.#netlink.deleteRoute(destination, this.#routeProtocol);
        }
    }

    /**
     * Sends packets to the network: `pairs` holds an offset into `bytes` and a size for each of the `count` packets.
     * Returns how many the kernel took; the others are dropped and counted.
     */
    write(bytes: Uint8Array, pairs: Uint32Array, count: number): number {
        const taken = this.#addon.write(this.#handle, bytes, pairs, count);
        if (taken < 0) throw new InvariantError(`writing ${count} packets of ${bytes.length} bytes: ${taken}`);
        return taken;
    }

    /** Everything counted since the device was opened; still there when it is closed. */
    counters(): TunCounters {
        const [packetsIn, bytesIn, packetsOut, bytesOut, notIp, noSession, queueFull, refused] = Array.from(
            this.#shared.counters,
            Number,
        );
        if (this.#isOpen) this.#queueDrops = readQueueDrops(this.name);
        return {
            packetsIn: packetsIn ?? 0,
            bytesIn: bytesIn ?? 0,
            packetsOut: packetsOut ?? 0,
            bytesOut: bytesOut ?? 0,
            dropsNotIp: notIp ?? 0,
            dropsNoSession: noSession ?? 0,
            dropsInQueueFull: this.#queueDrops,
            dropsOutQueueFull: queueFull ?? 0,
            dropsOutRefused: refused ?? 0,
        };
    }

    /** Deletes the device, and with it its addresses and routes.  May be called again. */
    close(): void {
        if (!this.#isOpen) return;
        this.counters();
        this.#isOpen = false;
        this.#addon.close(this.#handle);
    }

    #deliver(runs: number, onRun: (run: PacketRun) => void): void {
        const table = this.#shared.runs;
        this.#slabs.length = 0;
        for (let run = 0; run < runs; run += 1) this.#slabs.push(this.#pool.take(table[run * RUN_WORDS + 2] ?? 0));
        const errno = this.#addon.gather(this.#handle, this.#slabs);
        if (errno < 0) throw new InvariantError(`gathering ${runs} runs: ${errno}`);
        let first = 0;
        for (const [run, slab] of this.#slabs.entries()) {
            const at = run * RUN_WORDS;
            const [slot = 0, count = 0, size = 0] = [table[at], table[at + 1], table[at + 2]];
            onRun(new PacketRun(slot, slab, size, this.#shared.packets, first, count, this.#pool));
            first += count;
        }
    }

    #bind(destination: Cidr, slot: number): void {
        const { version, network, prefixLength } = destination;
        const isHost = prefixLength === (version === 4 ? 32 : 128);
        if (!isHost && (version === 4 || prefixLength !== 64)) {
            throw new InvariantError(`session destination ${formatCidr(destination)}`);
        }
        const bytes = version === 4 ? encodeIpv4(network) : network.subarray(0, prefixLength / 8);
        const errno = this.#addon.bind(this.#handle, bytes, slot);
        if (errno < 0) throw new InvariantError(`binding ${formatCidr(destination)}: ${errno}`);
    }
}
