// The `proxy` link: TCP to a worker on any host, a PROXY v2 header with the real addresses, then a byte pipe.
import { encodeLatin1 } from "@postern/bytes";
import { DependencyError } from "@postern/errors";
import { encodeProxyV2, TLV } from "@postern/proxy-protocol";
import { connect, type Socket } from "node:net";
import type { Link, LinkKind, LinkRequest } from "./link.ts";
import { relay } from "./relay.ts";

export interface ProxyLinkSettings {
    readonly connectTimeout: number;
    readonly idleTimeout: number;
}

export class ProxyLink implements LinkKind {
    readonly #settings: ProxyLinkSettings;

    constructor(settings: ProxyLinkSettings) {
        this.#settings = settings;
    }

    async open(request: LinkRequest): Promise<Link> {
        const { client, local, connection, bytes, socket } = request;
        const worker = await this.#connect(request.endpoint);
        const tlvs = [{ type: TLV.uniqueId, value: encodeLatin1(connection) }];
        worker.write(encodeProxyV2({ command: "proxy", source: client, destination: local, tlvs }));
        worker.write(bytes);
        return relay(socket, worker, bytes.length, this.#settings.idleTimeout);
    }

    #connect({ host, port }: LinkRequest["endpoint"]): Promise<Socket> {
        const { connectTimeout } = this.#settings;
        return new Promise((resolve, reject) => {
            const socket = connect({
                host,
                port,
                noDelay: true,
                keepAlive: true,
                allowHalfOpen: true,
                keepAliveInitialDelay: 30_000,
            });
            const fail = (detail: string, cause?: Error): void => {
                clearTimeout(timer);
                socket.destroy();
                reject(new DependencyError("WORKER_UNREACHABLE", `${host}:${port}: ${detail}`, { cause }));
            };
            const onError = (error: Error): void => fail(error.message, error);
            const timer = setTimeout(() => fail(`no connection within ${connectTimeout} ms`), connectTimeout);
            socket.once("error", onError).once("connect", () => {
                clearTimeout(timer);
                socket.off("error", onError);
                resolve(socket);
            });
        });
    }
}
