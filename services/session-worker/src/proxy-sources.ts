// Who the client is: the peer of the TCP connection, or what a trusted balancer says in a PROXY protocol header.
import type { ClientEndpoint } from "@postern/contracts";
import { decodeLatin1 } from "@postern/bytes";
import { decodeProxyHeader, TLV, tlvValue } from "@postern/proxy-protocol";
import { BlockList, isIP, type Socket } from "node:net";
import { readAhead } from "./read-ahead.ts";

/** What is known of a connection before its first byte for us. */
export interface Origin {
    readonly client: ClientEndpoint;
    /** The id that the ingress gave it, for logs and events of both. */
    readonly connection: string | undefined;
    /** A balancer's own health check: no session comes of it and nothing is logged. */
    readonly isHealthCheck: boolean;
}

const CONNECTION_ID = /^[0-9a-z]{8,40}$/;

export class ProxySources {
    readonly #trusted = new BlockList();

    /** `networks` in CIDR notation: only these must and may send a header. */
    constructor(networks: readonly string[]) {
        for (const network of networks) {
            const [address = "", bits = ""] = network.split("/");
            this.#trusted.addSubnet(address, Number(bits), isIP(address) === 6 ? "ipv6" : "ipv4");
        }
    }

    /** Whether the peer of `socket` has to begin with a header. */
    mustIntroduce(socket: Socket): boolean {
        const { address } = peerOf(socket);
        return this.#trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
    }

    /** The origin of a connection.  Rejects with `ProxyError` when a trusted source sends no well-formed header. */
    async originOf(socket: Socket): Promise<Origin> {
        const peer = peerOf(socket);
        if (!this.mustIntroduce(socket)) return { client: peer, connection: undefined, isHealthCheck: false };
        const header = await readAhead(socket, (bytes) => {
            const decoded = decodeProxyHeader(bytes);
            return decoded && { value: decoded.header, size: decoded.size };
        });
        const id = tlvValue(header, TLV.uniqueId);
        const connection = id === undefined ? "" : decodeLatin1(id);
        return {
            client: header.source ?? peer,
            connection: CONNECTION_ID.test(connection) ? connection : undefined,
            isHealthCheck: header.command === "local",
        };
    }
}

/** The peer's address without the IPv4-mapped form that dual-stack sockets give. */
export function peerOf(socket: Socket): ClientEndpoint {
    const address = (socket.remoteAddress ?? "0.0.0.0").replace(/^::ffff:(?=\d+\.)/, "").replace(/%.*$/, "");
    return { address, port: socket.remotePort ?? 0 };
}
