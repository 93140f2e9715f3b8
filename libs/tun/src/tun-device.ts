// A TUN device: the worker's side of the network.  "In" is what the kernel routes to clients, "out" what clients send.
import { InvariantError, type DependencyError } from "@postern/errors";
import { encodeIpv4, formatCidr, parseCidr, parseIpv4, parseIpv6, type Ipv4Cidr, type Ipv6Cidr } from "@postern/ip";
import {
    ARENA_SIZE,
    loadAddon,
    NO_SLOT,
    type Offload,
    OFFLOADS,
    SharedMemory,
    type DeviceHandle,
    type TunAddon,
} from "./addon.ts";
import { CompiledPath, type PathDevice } from "./compiled-path.ts";
import { DEFAULT_POOL_BYTES, DEFAULT_QUEUE_LENGTH, DEFAULT_ROUTE_PROTOCOL } from "./constants.ts";
import type { DataPath, PathPorts } from "./data-path.ts";
import { kernelError } from "./kernel-error.ts";
import { PacketPump } from "./packet-pump.ts";
import { readQueueDrops } from "./queue-drops.ts";
import { Rtnetlink } from "./rtnetlink.ts";
import { SessionMemory, type SessionBlock } from "./session-memory.ts";
import { SlabPool } from "./slab-pool.ts";

type Cidr = Ipv4Cidr | Ipv6Cidr;

export interface TunOptions {
    /** At most 15 characters; the kernel puts the next free number in the place of `%d`. */
    readonly name: string;
    /** The largest packet in bytes, 1,280 at least where there is IPv6. */
    readonly mtu: number;
    /** Our addresses on the device, such as `10.91.0.1`: each a /32 or /128, so that several devices may have the same. */
    readonly gateways: readonly string[];
    /** How many sessions there can be; their slots are the numbers below. */
    readonly sessions: number;
    /** The protocol number of session routes, 1 to 255. */
    readonly routeProtocol?: number;
    /** Packets that may wait in the kernel for a wake-up. */
    readonly queueLength?: number;
    /** Bytes of free memory kept for the next runs. */
    readonly poolBytes?: number;
    /** The most that is asked of the kernel; it may do less. */
    readonly offload?: Offload;
}

export interface TunCounters {
    readonly packetsIn: number;
    readonly bytesIn: number;
    readonly packetsOut: number;
    readonly bytesOut: number;
    /** System calls that read or wrote a packet, or a super-packet that stands for many. */
    readonly reads: number;
    readonly writes: number;
    /** Those that stand for more than one packet. */
    readonly superPacketsIn: number;
    readonly superPacketsOut: number;
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
    const device = new TunDevice(loadAddon(), options);
    try {
        device.configure(options);
    } catch (error) {
        device.close();
        throw error;
    }
    return device;
}

/** An open device.  `openTun` makes one. */
export class TunDevice implements PathDevice {
    readonly name: string;
    /** The interface's number. */
    readonly index: number;
    readonly mtu: number;
    readonly gateway: number;
    readonly gatewayIpv6: Uint8Array | undefined;
    /** What the kernel leaves to us, which is how many packets cross in one system call. */
    readonly offload: Offload;
    readonly #addon: TunAddon;
    readonly #handle: DeviceHandle;
    readonly #shared = new SharedMemory();
    readonly #sessions: SessionMemory;
    readonly #pump: PacketPump;
    readonly #netlink: Rtnetlink;
    readonly #routeProtocol: number;
    readonly #destinations = new Map<number, readonly Cidr[]>();
    /** Which slot each destination leads to: the newer one, where a session comes before its predecessor has gone. */
    readonly #owners = new Map<string, number>();
    #queueDrops = 0;
    #isOpen = true;

    constructor(addon: TunAddon, options: TunOptions) {
        const { name, mtu, gateways, sessions, offload = "udp-segments" } = options;
        const arena = new Uint8Array(ARENA_SIZE);
        this.#sessions = new SessionMemory(sessions);
        const wanted = OFFLOADS.indexOf(offload);
        const handle = addon.open(name, wanted, this.#shared.bytes, this.#sessions.bytes, arena);
        if (typeof handle === "number") throw kernelError("TUN_OPEN_FAILED", `creating the TUN device ${name}`, handle);
        this.name = this.#shared.name;
        this.index = this.#shared.index;
        this.offload = this.#shared.offload;
        this.mtu = mtu;
        this.gateway = parseIpv4(gateways.find((gateway) => gateway.includes(".")) ?? "0.0.0.0");
        const gatewayIpv6 = gateways.find((gateway) => gateway.includes(":"));
        this.gatewayIpv6 = gatewayIpv6 === undefined ? undefined : parseIpv6(gatewayIpv6);
        this.#addon = addon;
        this.#handle = handle;
        this.#netlink = new Rtnetlink((message) => addon.netlink(message), this);
        this.#routeProtocol = options.routeProtocol ?? DEFAULT_ROUTE_PROTOCOL;
        const pool = new SlabPool(options.poolBytes ?? DEFAULT_POOL_BYTES);
        this.#pump = new PacketPump(addon, handle, this.#shared, arena, pool);
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

    /** Milliseconds. */
    now(): number {
        return performance.now();
    }

    /** Begins to read.  `onLost` is told once that the device was deleted under us: nothing is read any more. */
    start(onLost: (error: DependencyError) => void): void {
        const errno = this.#addon.start(this.#handle, (runsOrErrno) => {
            if (runsOrErrno < 0) onLost(kernelError("TUN_OPEN_FAILED", `reading ${this.name}`, runsOrErrno));
            else this.#pump.deliver(runsOrErrno);
        });
        if (errno < 0) throw kernelError("TUN_OPEN_FAILED", `watching ${this.name}`, errno);
    }

    /** The packet path of the session that has `slot` from now on; nothing passes until it has an address and its gate is open. */
    path(slot: number, ports: PathPorts): DataPath {
        const path = new CompiledPath(slot, this, this.#claim(slot), ports);
        this.#pump.set(slot, path);
        return path;
    }

    /** The packet path of a device with one peer, which sends from any address and is sent everything that is routed here. */
    pathToAll(ports: PathPorts): DataPath {
        const block = this.#claim(0);
        block.setSource(undefined);
        const path = new CompiledPath(0, this, block, ports);
        this.#pump.set(0, path);
        this.#bindBytes(new Uint8Array(0), 0);
        return path;
    }

    #claim(slot: number): SessionBlock {
        this.#checkSlot(slot);
        return this.#sessions.claim(slot);
    }

    #checkSlot(slot: number): void {
        if (!Number.isInteger(slot) || slot < 0 || slot >= this.#sessions.slots)
            throw new InvariantError(`session slot ${slot} of ${this.#sessions.slots}`);
    }

    /** The slot of a path may be another session's. */
    closePath(slot: number): void {
        this.#pump.set(slot, undefined);
    }

    /**
     * From now on packets to `destinations` (IPv4 /32, IPv6 /64 or /128) go to the path of `slot`, and the kernel routes them here.
     * `mtu` is what the session's client takes, where that is less than the device's MTU.
     */
    addSession(slot: number, destinations: readonly Cidr[], mtu?: number): void {
        this.#checkSlot(slot);
        if (this.#destinations.has(slot)) throw new InvariantError(`session slot ${slot} is taken`);
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

    /** See `DataPath.take`. */
    take(slot: number, bytes: Uint8Array, at: number, end: number, lasting: boolean): number {
        return this.#pump.take(slot, bytes, at, end, lasting);
    }

    /**
     * Sends packets to the network as they are: `pairs` holds an offset into `bytes` and a size for each of the `count` packets.
     * Those that the kernel does not take are dropped and counted.
     */
    write(bytes: Uint8Array, pairs: Uint32Array, count: number): void {
        const errno = this.#addon.write(this.#handle, bytes, pairs, count);
        if (errno < 0) throw new InvariantError(`writing ${count} packets of ${bytes.length} bytes: ${errno}`);
    }

    /** Everything counted since the device was opened; still there when it is closed. */
    counters(): TunCounters {
        const [packetsIn = 0, bytesIn = 0, packetsOut = 0, bytesOut = 0, ...others] = this.#shared.counters;
        const [dropsNotIp = 0, dropsNoSession = 0, dropsOutQueueFull = 0, dropsOutRefused = 0, ...calls] = others;
        const [reads = 0, writes = 0, superPacketsIn = 0, superPacketsOut = 0] = calls;
        if (this.#isOpen) this.#queueDrops = readQueueDrops(this.name);
        return {
            packetsIn,
            bytesIn,
            packetsOut,
            bytesOut,
            reads,
            writes,
            superPacketsIn,
            superPacketsOut,
            dropsNotIp,
            dropsNoSession,
            dropsInQueueFull: this.#queueDrops,
            dropsOutQueueFull,
            dropsOutRefused,
        };
    }

    /** Deletes the device, and with it its addresses and routes.  May be called again. */
    close(): void {
        if (!this.#isOpen) return;
        this.counters();
        this.#pump.flush();
        this.#isOpen = false;
        this.#addon.close(this.#handle);
    }

    #bind(destination: Cidr, slot: number): void {
        const { version, network, prefixLength } = destination;
        const isHost = prefixLength === (version === 4 ? 32 : 128);
        if (!isHost && (version === 4 || prefixLength !== 64)) {
            throw new InvariantError(`session destination ${formatCidr(destination)}`);
        }
        this.#bindBytes(version === 4 ? encodeIpv4(network) : network.subarray(0, prefixLength / 8), slot);
    }

    #bindBytes(destination: Uint8Array, slot: number): void {
        const errno = this.#addon.bind(this.#handle, destination, slot);
        if (errno < 0) throw new InvariantError(`binding ${destination.length} bytes to slot ${slot}: ${errno}`);
    }
}
