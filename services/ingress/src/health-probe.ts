// Asks one worker whether it takes sessions: TCP, PROXY v2 LOCAL, TLS, HEAD on the SSTP URI.  401 is yes, 503 full or draining.
import { encodeProxyV2 } from "@postern/proxy-protocol";
import { encodeProbeRequest, HttpHeadReader, interpretResponse } from "@postern/sstp";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { DependencyError } from "@postern/errors";

export interface ProbeTarget {
    readonly host: string;
    readonly port: number;
}

export type ProbeOutcome = { readonly healthy: true } | { readonly healthy: false; readonly detail: string };

const READY = 401;
const LOCAL = encodeProxyV2({ command: "local", tlvs: [] });

/** Never rejects: whatever goes wrong is an outcome. */
export async function probe(target: ProbeTarget, timeout: number): Promise<ProbeOutcome> {
    try {
        const status = await askStatus(target, AbortSignal.timeout(timeout));
        return status === READY ? { healthy: true } : { healthy: false, detail: `HTTP ${status}` };
    } catch (error) {
        return { healthy: false, detail: error instanceof Error ? error.message : String(error) };
    }
}

function askStatus({ host, port }: ProbeTarget, signal: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
        const tcp = connectTcp({ host, port, noDelay: true });
        const fail = (detail: string, cause?: unknown): void => {
            tcp.destroy();
            reject(new DependencyError("WORKER_UNREACHABLE", `${host}:${port}: ${detail}`, { cause }));
        };
        signal.addEventListener("abort", () => fail("no answer in time"), { once: true });
        tcp.once("error", (error) => fail(error.message, error));
        tcp.once("connect", () => {
            tcp.write(LOCAL);
            // Whether the certificate is one that clients accept is not what is asked here: the worker is known by its address.
            const tls = connectTls({ socket: tcp, rejectUnauthorized: false });
            const reader = new HttpHeadReader();
            tls.once("error", (error) => fail(error.message, error));
            tls.once("close", () => fail("closed without an answer"));
            tls.once("secureConnect", () => tls.write(encodeProbeRequest(host)));
            tls.on("data", (chunk: Uint8Array) => {
                try {
                    const head = reader.push(chunk);
                    if (head === undefined) return;
                    resolve(interpretResponse(head));
                    tls.destroy();
                } catch (error) {
                    fail("no HTTP answer", error);
                }
            });
        });
    });
}
