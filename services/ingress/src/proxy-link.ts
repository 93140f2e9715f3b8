// The `proxy` link: TCP to a worker on any host, a PROXY v2 header with the real addresses, then a byte pipe.
import { concatBytes, encodeLatin1 } from "@postern/bytes";
import { DependencyError } from "@postern/errors";
import { encodeProxyV2, TLV } from "@postern/proxy-protocol";
import { connect, type Socket } from "node:net";
import type { Link, LinkKind, LinkRequest } from "./link.ts";
import { relay } from "./relay.ts";

export interface ProxyLinkSettings {
    readonly connectTimeout: number;
    /** Milliseconds for the first byte, once the worker has a whole ClientHello. */
    readonly answerTimeout: number;
    readonly idleTimeout: number;
    /** Sets the options of a socket that has connected. */
    readonly tune: (socket: Socket) => void;
}

export class ProxyLink implements LinkKind {
    readonly #settings: ProxyLinkSettings;

    constructor(settings: ProxyLinkSettings) {
        this.#settings = settings;
    }

    async open(request: LinkRequest): Promise<Link | undefined> {
        const { opening, endpoint, onEnding } = request;
        const { connectTimeout, answerTimeout, idleTimeout, tune } = this.#settings;
        const worker = await connectTo(endpoint, connectTimeout);
        tune(worker);
        // In one piece, so that the worker reads once.
        worker.write(concatBytes(headerFor(request), opening.bytes));
        const answer = await firstAnswer(worker, request, answerTimeout);
        if (opening.socket.destroyed || answer === "client-gone") {
            worker.destroy();
            opening.socket.destroy();
            return undefined;
        }
        return relay(opening.socket, worker, { passedOn: opening.bytes.length, answer, idleTimeout, onEnding });
    }
}

function headerFor({ introduced, connection }: LinkRequest): Uint8Array {
    const { kind, client: source, local: destination } = introduced;
    const tlvs = [{ type: TLV.uniqueId, value: encodeLatin1(connection) }];
    return encodeProxyV2(
        kind === "health-check" ? { command: "local", tlvs } : { command: "proxy", source, destination, tlvs },
    );
}

function connectTo({ host, port }: LinkRequest["endpoint"], timeout: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
        const socket = connect({ host, port, allowHalfOpen: true });
        const fail = (detail: string, cause?: Error): void => {
            clearTimeout(timer);
            socket.destroy();
            reject(new DependencyError("WORKER_UNREACHABLE", `${host}:${port}: ${detail}`, { cause }));
        };
        const timer = setTimeout(() => fail(`no connection within ${timeout} ms`), timeout);
        // Stays, so that an error between two stages is not nobody's.
        socket.on("error", (error) => fail(error.message, error));
        socket.once("connect", () => {
            clearTimeout(timer);
            resolve(socket);
        });
    });
}

/**
 * Passes on what the client says until the worker's first bytes have come.  Rejects when a worker that has a whole ClientHello
 * stays silent or hangs up; what it does with anything else is between it and the client.
 */
function firstAnswer(
    worker: Socket,
    { opening, endpoint }: LinkRequest,
    timeout: number,
): Promise<Uint8Array | "client-gone"> {
    return new Promise((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        const finish = (outcome: () => void): void => {
            clearTimeout(timer);
            unfollow();
            worker.off("data", onAnswer).off("end", onHangUp).off("close", onHangUp).pause();
            outcome();
        };
        const fail = (detail: string): void =>
            finish(() => {
                worker.destroy();
                reject(new DependencyError("WORKER_UNREACHABLE", `${endpoint.host}:${endpoint.port}: ${detail}`));
            });
        const expect = (): void => {
            if (opening.isHello) timer ??= setTimeout(() => fail(`no answer within ${timeout} ms`), timeout);
        };
        const onAnswer = (answer: Uint8Array): void => finish(() => resolve(answer));
        const onHangUp = (): void => {
            if (opening.isHello) fail("hung up without an answer");
            else finish(() => resolve(new Uint8Array(0)));
        };
        worker.on("data", onAnswer).on("end", onHangUp).on("close", onHangUp);
        const unfollow = opening.follow(
            (bytes) => {
                worker.write(bytes);
                expect();
            },
            () => finish(() => resolve("client-gone")),
        );
        expect();
        if (worker.destroyed) onHangUp();
    });
}
