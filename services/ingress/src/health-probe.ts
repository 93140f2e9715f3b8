// Asks one worker whether it takes sessions: TCP, PROXY v2 LOCAL, TLS, HEAD on the SSTP URI.  401 is yes, 503 full or draining.
import { DependencyError } from "@postern/errors";
import { encodeProxyV2 } from "@postern/proxy-protocol";
import { encodeProbeRequest, HttpHeadReader, interpretResponse } from "@postern/sstp";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";

export interface ProbeTarget {
    readonly host: string;
    readonly port: number;
}

/** `unwilling`: it answers, and says that it takes no sessions. */
export type ProbeOutcome =
    | { readonly kind: "ready" }
    | { readonly kind: "unwilling"; readonly detail: string }
    | { readonly kind: "silent"; readonly detail: string };

const READY = 401;
const LOCAL = encodeProxyV2({ command: "local", tlvs: [] });

/** Probes of one worker.  TLS is resumed from one to the next, so that a probe does not cost the worker a signature. */
export class HealthProbe {
    #session: Buffer | undefined;

    /** Never rejects: whatever goes wrong is an outcome. */
    async ask(target: ProbeTarget, timeout: number): Promise<ProbeOutcome> {
        try {
            const status = await this.#askStatus(target, timeout);
            return status === READY ? { kind: "ready" } : { kind: "unwilling", detail: `HTTP ${status}` };
        } catch (error) {
            this.#session = undefined;
            return { kind: "silent", detail: error instanceof Error ? error.message : String(error) };
        }
    }

    #askStatus({ host, port }: ProbeTarget, timeout: number): Promise<number> {
        return new Promise((resolve, reject) => {
            const tcp = connectTcp({ host, port, noDelay: true });
            const finish = (outcome: () => void): void => {
                clearTimeout(timer);
                tcp.destroy();
                outcome();
            };
            const fail = (detail: string, cause?: unknown): void =>
                finish(() =>
                    reject(new DependencyError("WORKER_UNREACHABLE", `${host}:${port}: ${detail}`, { cause })),
                );
            const timer = setTimeout(() => fail(`no answer within ${timeout} ms`), timeout);
            tcp.on("error", (error) => fail(error.message, error));
            tcp.once("connect", () => {
                tcp.write(LOCAL);
                // Whether the certificate is one that clients accept is not what is asked here: the worker is known by its address.
                const known = this.#session === undefined ? {} : { session: this.#session };
                const tls = connectTls({ socket: tcp, rejectUnauthorized: false, ...known });
                const reader = new HttpHeadReader();
                tls.on("error", (error) => fail(error.message, error));
                tls.once("close", () => fail("closed without an answer"));
                tls.on("session", (session) => (this.#session = session));
                tls.once("secureConnect", () => tls.write(encodeProbeRequest(host)));
                tls.on("data", (chunk: Uint8Array) => {
                    try {
                        const head = reader.push(chunk);
                        if (head === undefined) return;
                        const status = interpretResponse(head);
                        finish(() => resolve(status));
                    } catch (error) {
                        fail("no HTTP answer", error);
                    }
                });
            });
        });
    }
}
