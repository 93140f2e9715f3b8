// From the chunks of a client's stream to control packets for the call and everything else for the packet path.
import { copyBytes } from "@postern/bytes";
import { PacketReader, type PacketSink, type ServerCall, SstpError } from "@postern/sstp";
import type { DataPath } from "@postern/tun";

export interface IntakePorts {
    readonly call: Pick<ServerCall, "onPacketReceived" | "onControlPacket" | "passesData">;
    /** Packets that are taken while the data gate is shut. */
    readonly negotiationPackets: number;
    readonly path: Pick<DataPath, "take" | "onFrame" | "refresh">;
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

    /** A `lasting` chunk stays as it is until this turn of the event loop is over, another one until this returns. */
    push(chunk: Uint8Array, lasting: boolean): void {
        const { call, onFailure } = this.#ports;
        this.#chunk = lasting ? chunk : undefined;
        try {
            call.onPacketReceived();
            this.#reader.push(chunk);
        } catch (error) {
            onFailure(error);
        }
        this.#chunk = undefined;
    }

    /** No packet is delivered any more, not even one that is already in the chunk being read. */
    stop(): void {
        this.#reader.stop();
    }

    takeData(bytes: Uint8Array, at: number, end: number): number {
        // A packet that came in two chunks lies in the reader's own buffer, which its next packet overwrites.
        return this.#ports.path.take(bytes, at, end, bytes === this.#chunk);
    }

    onControlPacket(bytes: Uint8Array, start: number, end: number): void {
        const { call, path } = this.#ports;
        this.#count();
        // What protocols are given is rare, and they may keep parts of it; `bytes` are the stream's.
        call.onControlPacket(copyBytes(bytes, start, end));
        path.refresh();
    }

    onDataPacket(bytes: Uint8Array, start: number, end: number): void {
        const { path } = this.#ports;
        this.#count();
        const frame = copyBytes(bytes, start, end);
        path.onFrame(frame, 0, frame.length);
        path.refresh();
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
