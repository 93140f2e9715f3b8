// From nothing to the octet behind the server's HTTP head: TCP, TLS, HTTP.
import { concatBytes } from "@postern/bytes";
import { PeerError } from "@postern/errors";
import { encodeMessage, encodeSstpRequest } from "@postern/sstp";
import type { ClientEnd } from "./client-end.ts";
import { CLIENT_HABITS } from "./client-habits.ts";
import type { SstpClientOptions } from "./client-options.ts";
import { dial, type DialedStream } from "./dial.ts";
import { DialError } from "./dial-error.ts";
import type { DialStopwatch } from "./dial-timings.ts";
import { readHttpAnswer } from "./http-answer.ts";
import { PacketWriter } from "./packet-writer.ts";

export interface OpenStream extends DialedStream {
    readonly writer: PacketWriter;
    /** What came behind the HTTP head; the connection is paused. */
    readonly rest: Uint8Array;
}

/** Rejects with `DialError`, whatever goes wrong. */
export async function openStream(
    options: SstpClientOptions,
    correlationId: string,
    stopwatch: DialStopwatch,
    signal: AbortSignal,
): Promise<OpenStream> {
    let stream: DialedStream | undefined;
    try {
        stream = await dial(options, stopwatch, signal);
        const writer = new PacketWriter(stream.tls, options.misbehaviour?.splitWrites);
        writer.write(encodeRequest(options, correlationId));
        const { status, rest } = await readHttpAnswer(stream.tls, signal);
        if (status !== 200) {
            const end = { reason: "http-refused", detail: `HTTP status ${status}`, status } as const;
            throw new DialError(stopwatch.step, end);
        }
        stopwatch.complete("http");
        return { ...stream, writer, rest };
    } catch (error) {
        stream?.tcp.destroy();
        if (error instanceof DialError) throw error;
        throw new DialError(stopwatch.step, endOf(error, signal), { cause: error });
    }
}

function encodeRequest(options: SstpClientOptions, correlationId: string): Uint8Array {
    const { fieldOrder, braces } = CLIENT_HABITS[options.client ?? "windows"];
    const name = options.servername ?? options.host;
    const request = encodeSstpRequest({
        // RFC 3986 §3.2.2.
        host: name.includes(":") ? `[${name}]` : name,
        correlationId: braces ? `{${correlationId}}` : correlationId,
        fieldOrder,
        ...(options.tenantId === undefined ? {} : { query: `tenantid=${options.tenantId}` }),
    });
    const { eagerConnectRequest = false, connectRequest } = options.misbehaviour ?? {};
    if (!eagerConnectRequest) return request;
    return concatBytes(request, connectRequest ?? encodeMessage({ kind: "call-connect-request" }));
}

function endOf(error: unknown, signal: AbortSignal): ClientEnd {
    if (signal.aborted) return { reason: "dial-timeout", detail: "not open in the time allowed" };
    const detail = error instanceof Error ? error.message : String(error);
    return { reason: error instanceof PeerError ? "protocol-error" : "stream-error", detail };
}
