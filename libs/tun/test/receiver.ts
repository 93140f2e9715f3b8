// What a test sees of the packets that a device delivers.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { DependencyError } from "@postern/errors";
import { HEADROOM, type PacketRun, type TunDevice } from "@postern/tun";

/** Copies of the packets that a device delivers, by slot, with the runs they came in. */
export class Receiver {
    readonly runs: { readonly slot: number; readonly packets: readonly Uint8Array[] }[] = [];
    readonly lost: DependencyError[] = [];
    readonly #events = new EventEmitter();

    constructor(device: TunDevice) {
        device.start({
            onRun: (packets) => {
                this.runs.push({ slot: packets.slot, packets: copyPackets(packets) });
                packets.release();
                this.#events.emit("change");
            },
            onLost: (error) => {
                this.lost.push(error);
                this.#events.emit("change");
            },
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

/** Copies of a run's packets, after a look at where they lie: one after the other, headroom before each. */
export function copyPackets(packets: PacketRun): readonly Uint8Array[] {
    const copies: Uint8Array[] = [];
    let end = 0;
    for (let at = 0; at < packets.count; at += 1) {
        assert.equal(packets.offset(at), end + HEADROOM);
        end = packets.offset(at) + packets.size(at);
        copies.push(Uint8Array.from(packets.bytes.subarray(packets.offset(at), end)));
    }
    assert.equal(end, packets.bytes.length);
    return copies;
}
