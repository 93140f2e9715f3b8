// What a test sees of the packets that go to peers.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { DependencyError } from "@postern/errors";
import { parseCidr } from "@postern/ip";
import { type DataPath, HEADROOM, type PathPorts, type TunDevice } from "@postern/tun";

/** Copies of the packets that a device delivers to sessions, by slot, with the runs they came in. */
export class Receiver {
    readonly runs: { readonly slot: number; readonly packets: readonly Uint8Array[] }[] = [];
    readonly lost: DependencyError[] = [];
    readonly #device: TunDevice;
    readonly #events = new EventEmitter();

    /** Starts the device. */
    constructor(device: TunDevice) {
        this.#device = device;
        device.start((error) => {
            this.lost.push(error);
            this.#events.emit("change");
        });
    }

    /** A session whose peer takes everything; `destinations` lead to it. */
    open(slot: number, ...destinations: readonly string[]): DataPath {
        const path = this.#device.path(slot, this.#ports(slot));
        path.refresh();
        this.#device.addSession(slot, destinations.map(parseCidr));
        return path;
    }

    #ports(slot: number): PathPorts {
        return openPorts((bytes) => {
            this.runs.push({ slot, packets: unframe(bytes) });
            this.#events.emit("change");
        });
    }

    packets(slot?: number): readonly Uint8Array[] {
        return this.runs.filter((entry) => slot === undefined || entry.slot === slot).flatMap((entry) => entry.packets);
    }

    /** Waits until `isDone`; fails where nothing at all comes for half a minute. */
    async until(isDone: () => boolean): Promise<void> {
        while (!isDone()) await once(this.#events, "change", { signal: AbortSignal.timeout(30_000) });
    }
}

/** Of a session whose gate is open for both versions, and whose peer takes everything: `onRun` may look until it returns. */
export function openPorts(onRun: (bytes: Uint8Array) => void): PathPorts {
    return {
        gate: { ipv4Open: true, ipv6Open: true, peerMru: 4_091 },
        egress: {
            room: Infinity,
            sendData: (bytes, done) => {
                onRun(bytes);
                done();
                return true;
            },
        },
        onControlFrame: (protocol) => assert.fail(`a frame of protocol ${protocol}`),
    };
}

/** Copies of the packets that are in `bytes` one after the other, after a look at the SSTP and PPP headers before each. */
export function unframe(bytes: Uint8Array): readonly Uint8Array[] {
    const framed = Buffer.from(bytes);
    const packets: Uint8Array[] = [];
    for (let at = 0, end; at < framed.length; at = end) {
        end = at + framed.readUInt16BE(at + 2);
        const packet = Uint8Array.from(framed.subarray(at + HEADROOM, end));
        const protocol = packet[0] === undefined || packet[0] >> 4 === 4 ? "0021" : "0057";
        assert.equal(framed.toString("hex", at, at + 2), "1000");
        assert.equal(framed.toString("hex", at + 4, at + HEADROOM), `ff03${protocol}`);
        assert.ok(packet.length > 0 && end <= framed.length);
        packets.push(packet);
    }
    return packets;
}
