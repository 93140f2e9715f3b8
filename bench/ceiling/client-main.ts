// The other end of the bare TLS server.
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { setTimeout as delay } from "node:timers/promises";
import { inParallel } from "../in-parallel.ts";
import type { Direction } from "../load/iperf3.ts";
import { answerTasks } from "../task-process.ts";
import { IN_FLIGHT, MODE, WRITE_SIZE } from "./transfer-mode.ts";

export interface ConnectQuestion {
    readonly host: string;
    readonly port: number;
    readonly ca: string;
    readonly ecdhCurve: string;
    readonly count: number;
    /** Handshakes at once. */
    readonly concurrency: number;
}

export interface TransferQuestion {
    readonly direction: Direction;
    readonly seconds: number;
}

/** Kept for the server's memory to be looked at, and for transfers. */
const sockets: TLSSocket[] = [];

answerTasks({
    connect: async (question: ConnectQuestion) => {
        const { count, concurrency, ...options } = question;
        await inParallel(count, concurrency, async () => {
            const socket = connect({ ...options, minVersion: "TLSv1.3" });
            socket.on("error", () => undefined);
            await once(socket, "secureConnect");
            sockets.push(socket);
        });
    },
    transfer: async ({ direction, seconds }: TransferQuestion) => {
        const [socket] = sockets;
        if (socket === undefined) return 0;
        return direction === "up" ? upload(socket, seconds) : download(socket, seconds);
    },
    disconnect: async () => {
        await Promise.all(
            sockets.splice(0).map(async (socket) => {
                if (socket.destroyed) return;
                const closed = once(socket, "close");
                socket.destroy();
                await closed;
            }),
        );
    },
});

/** Bits that the connection took within the time. */
async function upload(socket: TLSSocket, seconds: number): Promise<number> {
    socket.write(Uint8Array.of(MODE.upload));
    const block = Buffer.alloc(WRITE_SIZE, 0x5a);
    let taken = 0;
    const end = performance.now() + seconds * 1_000;
    const fill = (): void => {
        while (performance.now() < end && socket.writable && socket.writableLength < IN_FLIGHT) {
            socket.write(block, () => {
                taken += WRITE_SIZE;
                fill();
            });
        }
    };
    fill();
    await delay(seconds * 1_000);
    return taken * 8;
}

/** Bits that came within the time. */
async function download(socket: TLSSocket, seconds: number): Promise<number> {
    let received = 0;
    socket.on("data", (chunk: Buffer) => {
        received += chunk.length;
    });
    socket.write(Uint8Array.of(MODE.download));
    await delay(seconds * 1_000);
    socket.pause();
    return received * 8;
}
