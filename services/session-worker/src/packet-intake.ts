// From the chunks of a client's stream to control packets for the call and frames for the packet path.
import { PacketReader, type PacketSink, type ServerCall, SstpError } from "@postern/sstp";
import type { InboundBatch } from "./inbound-batch.ts";
import type { PacketPath } from "./packet-path.ts";

export interface IntakePorts {
    readonly call: Pick<ServerCall, "onPacketReceived" | "onControlPacket" | "passesData">;
    /** Packets that are taken while the data gate is shut. */
    readonly negotiationPackets: number;
    readonly path: Pick<PacketPath, "onFrame">;
    readonly batch: Pick<InboundBatch, "flush">;
    /** Told of what decoding or handing over throws; the rest of the chunk is lost. */
    readonly onFailure: (error: unknown) => void;
}

export class PacketIntake implements PacketSink {
    readonly #ports: IntakePorts;
    readonly #reader: PacketReader;
    #negotiationPackets = 0;
    /** What is being read, while it is: a session that falls silent must not hold on to the memory of its last chunk. */
    #chunk: Uint8Array | undefined;

    /** `tail`: what another worker had read of the packet that comes first. */
    constructor(ports: IntakePorts, tail?: Uint8Array) {
        this.#ports = ports;
        this.#reader = new PacketReader(this, tail);
    }

    /** The octets of the packet that is not complete yet. */
    get tail(): Uint8Array {
        return this.#reader.tail;
    }

    /** `chunk` may change when this has returned. */
    push(chunk: Uint8Array): void {
        const { call, batch, onFailure } = this.#ports;
        this.#chunk = chunk;
        try {
            call.onPacketReceived();
            this.#reader.push(chunk);
        } catch (error) {
            onFailure(error);
        }
        this.#chunk = undefined;
        try {
            batch.flush();
        } catch (error) {
            onFailure(error);
        }
    }

    /** No packet is delivered any more, not even one that is already in the chunk being read. */
    stop(): void {
        this.#reader.stop();
    }

    onControlPacket(bytes: Uint8Array, start: number, end: number): void {
        this.#count();
        this.#ports.call.onControlPacket(bytes.subarray(start, end));
    }

    onDataPacket(bytes: Uint8Array, start: number, end: number): void {
        this.#count();
        this.#ports.path.onFrame(bytes, start, end);
        // A packet that came in two chunks lies in the reader's own buffer, which its next packet overwrites.
        if (bytes !== this.#chunk) this.#ports.batch.flush();
    }

    /** Throws when a client that has not shown who it is makes us work for too long: each packet may want an answer. */
    #count(): void {
        const { call, negotiationPackets } = this.#ports;
        if (call.passesData) return;
        this.#negotiationPackets += 1;
        if (this.#negotiationPackets > negotiationPackets)
            throw new SstpError("SSTP_TOO_MANY_PACKETS", `more than ${negotiationPackets}`);
    }
}
