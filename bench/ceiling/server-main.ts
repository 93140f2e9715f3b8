// A bare TLS server of Node: what it does for each byte, handshake and idle connection is the least that a worker can do.
import { once } from "node:events";
import { createServer, type TLSSocket } from "node:tls";
// This file alone: what else its package loads would be a larger heap, which is slower to collect.
import { sweepBuffersAtOnce } from "../../libs/service/src/buffer-memory.ts";
import { answerTasks } from "../task-process.ts";
import { IN_FLIGHT, MODE, WRITE_SIZE } from "./transfer-mode.ts";

export interface ListenQuestion {
    readonly host: string;
    readonly port: number;
    readonly key: string;
    readonly cert: string;
    readonly ciphers: string;
    /** With the V8 flag that workers set: docs/adr/0016. */
    readonly sweepsAtOnce: boolean;
}

answerTasks({
    listen: async ({ host, port, sweepsAtOnce, ...identity }: ListenQuestion) => {
        if (sweepsAtOnce) sweepBuffersAtOnce();
        const server = createServer({ ...identity, minVersion: "TLSv1.3" }, serve);
        server.listen({ host, port, backlog: 1_024 });
        await once(server, "listening");
    },
});

function serve(socket: TLSSocket): void {
    socket.on("error", () => socket.destroy());
    socket.once("data", (chunk: Buffer) => {
        if (chunk[0] === MODE.upload) socket.on("data", () => undefined);
        if (chunk[0] === MODE.download) writeWithoutEnd(socket);
    });
}

function writeWithoutEnd(socket: TLSSocket): void {
    const block = Buffer.alloc(WRITE_SIZE, 0x5a);
    const fill = (): void => {
        while (socket.writable && socket.writableLength < IN_FLIGHT) socket.write(block, fill);
    };
    fill();
}
