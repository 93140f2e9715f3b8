// Who may ask, by the address that a datagram comes from.
import { BlockList, isIPv6 } from "node:net";

export interface DynamicClient {
    /** CIDR. */
    readonly source: string;
    readonly secret: Uint8Array;
}

export class ClientList {
    readonly #clients: readonly { readonly sources: BlockList; readonly secret: Uint8Array }[];

    constructor(clients: readonly DynamicClient[]) {
        this.#clients = clients.map(({ source, secret }) => {
            const sources = new BlockList();
            const [network = "", length = ""] = source.split("/");
            sources.addSubnet(network, Number(length), isIPv6(network) ? "ipv6" : "ipv4");
            return { sources, secret };
        });
    }

    /** The secret of the first client that `address` belongs to, or `undefined`: nobody that may ask. */
    secretOf(address: string): Uint8Array | undefined {
        const family = isIPv6(address) ? "ipv6" : "ipv4";
        return this.#clients.find(({ sources }) => sources.check(address, family))?.secret;
    }
}
