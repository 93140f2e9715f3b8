// An uplink without a device: it answers ping at the gateway address, so that a laptop without privileges can try postern.
import { echoReply, formatIpv4, ipv4Destination, ipv4Size, ipv4Source } from "@postern/ip";
import { HEADROOM } from "@postern/tun";
import type { Deliver, Run, Uplink, UplinkCounters } from "./uplink.ts";

export class NullUplink implements Uplink {
    readonly description: string;
    readonly #gateway: number;
    readonly #slots = new Map<number, number>();
    readonly #parse: (address: string) => number;
    #deliver: Deliver = () => undefined;
    readonly #counters = { packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0, dropped: { "no-network": 0 } };

    constructor(gateway: number, parse: (address: string) => number) {
        this.#gateway = gateway;
        this.#parse = parse;
        this.description = `none: only ping to ${formatIpv4(gateway)} is answered`;
    }

    start(deliver: Deliver): Promise<void> {
        this.#deliver = deliver;
        return Promise.resolve();
    }

    attach(slot: number, address: string): void {
        this.#slots.set(this.#parse(address), slot);
    }

    detach(_slot: number, address: string): void {
        this.#slots.delete(this.#parse(address));
    }

    write(bytes: Uint8Array, spans: Uint32Array, count: number): void {
        for (let index = 0; index < count; index += 1) {
            const at = spans[index * 2] ?? 0;
            const size = spans[index * 2 + 1] ?? 0;
            this.#counters.packetsOut += 1;
            this.#counters.bytesOut += size;
            this.#answer(bytes.subarray(at, at + size));
        }
    }

    counters(): UplinkCounters {
        return this.#counters;
    }

    stop(): Promise<void> {
        this.#slots.clear();
        return Promise.resolve();
    }

    #answer(packet: Uint8Array): void {
        const forGateway = ipv4Size(packet, 0, packet.length) > 0 && ipv4Destination(packet, 0) === this.#gateway;
        const reply = forGateway ? echoReply(packet) : undefined;
        const slot = this.#slots.get(forGateway ? ipv4Source(packet, 0) : -1);
        if (reply === undefined || slot === undefined) {
            this.#counters.dropped["no-network"] += 1;
            return;
        }
        const bytes = new Uint8Array(HEADROOM + reply.length);
        bytes.set(reply, HEADROOM);
        this.#counters.packetsIn += 1;
        this.#counters.bytesIn += reply.length;
        // A device would deliver later, too: the session must have finished with the chunk that asked.
        const run: Run = {
            bytes,
            count: 1,
            offset: () => HEADROOM,
            size: () => reply.length,
            release: () => undefined,
        };
        queueMicrotask(() => this.#deliver(slot, run));
    }
}
