// A wire that loses packets: nftables drops a random share of what a host receives on an interface.  Where packets are received, not
// where they are sent: a sender would be told of what its own host drops, and not have to notice it.
import type { NetworkNamespace } from "../interop/network-namespace.ts";

const TABLE = "loss";

export class PacketLoss {
    readonly #namespace: NetworkNamespace;
    readonly #interfaceName: string;

    private constructor(namespace: NetworkNamespace, interfaceName: string) {
        this.#namespace = namespace;
        this.#interfaceName = interfaceName;
    }

    /** From now on `perMille` of 1,000 packets, or super-packets where the kernel has put some together, are lost. */
    static async inject(namespace: NetworkNamespace, interfaceName: string, perMille: number): Promise<PacketLoss> {
        const table = `table inet ${TABLE}-${interfaceName}`;
        const rule = `iifname "${interfaceName}" numgen random mod 1000 < ${perMille} counter drop`;
        const chain = `chain receive { type filter hook prerouting priority raw; policy accept; ${rule}; }`;
        // A line ends the chain: `}` alone does not.
        await namespace.run("nft", `${table} {\n${chain}\n}`);
        return new PacketLoss(namespace, interfaceName);
    }

    /** How many were lost so far. */
    async dropped(): Promise<number> {
        const rules = await this.#namespace.run("nft", "list", "table", "inet", `${TABLE}-${this.#interfaceName}`);
        const [, packets] = /counter packets (\d+)/.exec(rules) ?? [];
        return Number(packets);
    }
}
