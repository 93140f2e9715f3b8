// Those who hurry: connections, PPP requests and logins, as many as they can.
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { encodeFrame, PROTOCOL } from "@postern/ppp";
import { DialError, SstpClient } from "@postern/sstp-client";
import { encodeDataPacket } from "@postern/sstp";
import type { Attack, AttackOptions } from "./attack.ts";
import { atRate, endure, together } from "./pace.ts";
import { clientHello, first, openSstp, openTcp, proxyHeaderOf, sourceAt } from "./wire.ts";

const ANSWER_WITHIN = 5_000;

/** A whole ClientHello on each connection: `answered` by a worker, `dropped`, or `silent`. */
export const hellos: Attack = async (options, tally, signal) => {
    const hello = await clientHello(options.target.servername);
    await atRate(options, signal, async (index) => {
        const begun = performance.now();
        const socket = await openTcp(options, index);
        socket.write(hello);
        const event = socket.destroyed
            ? "close"
            : await Promise.race([
                  first(socket, "data", "end", "close"),
                  delay(ANSWER_WITHIN, "timeout", { ref: false }),
              ]);
        tally.add(
            event === "data" ? "answered" : event === "timeout" ? "silent" : "dropped",
            performance.now() - begun,
        );
        socket.destroy();
    });
};

/** A session's worth of LCP Configure-Requests and Echo-Requests in one write, all with other identifiers. */
const REQUESTS = Buffer.concat(
    Array.from({ length: 512 }, (_, index) =>
        encodeDataPacket(
            encodeFrame(PROTOCOL.lcp, Buffer.from([index % 2 === 0 ? 1 : 9, index & 0xff, 0, 8, 0, 0, 0, 0])),
        ),
    ),
);

/** LCP requests for ever, on every connection as many as it takes. */
export const pppRequests: Attack = (options, tally, signal) =>
    together(options, async (index) => {
        const pair = await openSstp(options, index, true);
        if (pair === undefined) return tally.add("refused");
        const { tls } = pair;
        const end = endure(tls, options, tally, signal);
        void pour(tls);
        await end;
    });

async function pour(socket: Socket): Promise<void> {
    while (socket.writable) {
        if (!socket.write(REQUESTS)) await first(socket, "drain", "close");
    }
}

/** Logins with a wrong password, each from another source where there are several. */
export const logins: Attack = (options, tally, signal) =>
    atRate(options, signal, async (index) => {
        const begun = performance.now();
        tally.add(await login(options, index), performance.now() - begun);
    });

async function login(options: AttackOptions, index: number): Promise<string> {
    const { target, from, sources = 0, users = ["nobody"], method = "pap" } = options;
    try {
        const client = await SstpClient.connect({
            ...target,
            verifiesCertificate: false,
            user: users[index % users.length] ?? "",
            password: `wrong-${index}`,
            method,
            timeout: 30_000,
            ...(from === undefined ? {} : { localAddress: from }),
            ...(sources > 0 ? { proxyHeader: proxyHeaderOf(sourceAt(index % sources)) } : {}),
        });
        client.destroy();
        return "let in";
    } catch (error) {
        if (!(error instanceof DialError)) throw error;
        return error.step === "auth" ? "refused" : `stopped at ${error.step}`;
    }
}
