// The server's HTTP answer, [MS-SSTP] 4.1.
import type { TLSSocket } from "node:tls";
import { DependencyError } from "@postern/errors";
import { HttpHeadReader, interpretResponse } from "@postern/sstp";

export interface HttpAnswer {
    readonly status: number;
    /** What came behind the head. */
    readonly rest: Uint8Array;
}

/**
 * Reads one response head.  The socket is paused when this resolves, and `rest` comes before what it will deliver.
 * Rejects with `HttpError`, with the socket's error, with TUNNEL_CLOSED, or with the reason of `signal`.
 */
export function readHttpAnswer(socket: TLSSocket, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
        const reader = new HttpHeadReader();
        const finish = (settle: () => void): void => {
            socket.off("data", onData).off("error", onError).off("close", onClose);
            signal.removeEventListener("abort", onAbort);
            settle();
        };
        const onError = (error: unknown): void =>
            finish(() => reject(error instanceof Error ? error : new DependencyError("TUNNEL_CLOSED", String(error))));
        const onClose = (): void => onError(new DependencyError("TUNNEL_CLOSED", "the server sent no HTTP answer"));
        const onAbort = (): void => onError(signal.reason);
        const onData = (chunk: Buffer): void => {
            try {
                const head = reader.push(chunk);
                if (head === undefined) return;
                const answer = { status: interpretResponse(head), rest: head.rest };
                socket.pause();
                finish(() => resolve(answer));
            } catch (error) {
                onError(error);
            }
        };
        socket.on("data", onData).on("error", onError).on("close", onClose);
        signal.addEventListener("abort", onAbort, { once: true });
    });
}
