// Who a connection is from: its peer, or what a trusted balancer says in a PROXY protocol header.
import type { ClientEndpoint, RejectReason } from "@postern/contracts";
import { decodeProxyHeader, ProxyError } from "@postern/proxy-protocol";
import { BlockList, isIP, type Socket } from "node:net";
import type { ClientOpening } from "./client-opening.ts";

export interface Introduced {
    readonly client: ClientEndpoint;
    /** The address that the client dialled. */
    readonly local: ClientEndpoint;
    /** `health-check`: a balancer speaks for itself, and wants to know whether there is a worker behind us. */
    readonly kind: "client" | "health-check";
}

export class ProxySources {
    readonly #trusted = new BlockList();
    readonly #timeout: number;

    /** `networks` in CIDR notation: who must, and may, send a header, within `timeout` milliseconds. */
    constructor(networks: readonly string[], timeout: number) {
        this.#timeout = timeout;
        for (const network of networks) {
            const [address = "", bits = ""] = network.split("/");
            this.#trusted.addSubnet(address, Number(bits), familyOf(address));
        }
    }

    /** Resolves with whom the connection is from, why it is refused, or `closed` for a TCP check that said nothing. */
    async introduce(
        opening: ClientOpening,
    ): Promise<Introduced | Extract<RejectReason, "proxy-header-missing" | "proxy-header-invalid"> | "closed"> {
        const peer = peerOf(opening.socket);
        const local = localOf(opening.socket);
        if (!this.#trusted.check(peer.address, familyOf(peer.address))) return { client: peer, local, kind: "client" };
        const deadline = performance.now() + this.#timeout;
        for (;;) {
            const outcome = await opening.more(Math.max(1, deadline - performance.now()));
            if (outcome === "closed" && opening.bytes.length === 0) return "closed";
            if (outcome !== "more") return "proxy-header-missing";
            try {
                const decoded = decodeProxyHeader(opening.bytes);
                if (decoded === undefined) continue;
                opening.drop(decoded.size);
                const { command, source, destination } = decoded.header;
                if (command === "local") return { client: peer, local, kind: "health-check" };
                return { client: source ?? peer, local: destination ?? local, kind: "client" };
            } catch (error) {
                if (error instanceof ProxyError) return "proxy-header-invalid";
                throw error;
            }
        }
    }
}

const familyOf = (address: string): "ipv4" | "ipv6" => (isIP(address) === 6 ? "ipv6" : "ipv4");

/** Without the IPv4-mapped form that dual-stack sockets give, and without a zone. */
const unmapped = (address: string | undefined): string =>
    (address ?? "0.0.0.0").replace(/^::ffff:(?=\d+\.)/, "").replace(/%.*$/, "");

export const peerOf = (socket: Socket): ClientEndpoint => ({
    address: unmapped(socket.remoteAddress),
    port: socket.remotePort ?? 0,
});

const localOf = (socket: Socket): ClientEndpoint => ({
    address: unmapped(socket.localAddress),
    port: socket.localPort ?? 0,
});
