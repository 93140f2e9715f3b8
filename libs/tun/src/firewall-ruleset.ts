// The nftables rules of one postern instance, nft(8): one table that carries the instance's name, so that it can be
// replaced or deleted without looking at anything else.
import { ConfigError } from "@postern/errors";
import { formatCidr, type Ipv4Cidr, type Ipv6Cidr } from "@postern/ip";

export interface FirewallOptions {
    /** Letters, digits, `_` and `-`: whose table it is. */
    readonly owner: string;
    /** The addresses that clients get, of all workers. */
    readonly pools: readonly (Ipv4Cidr | Ipv6Cidr)[];
    /** What the names of all TUN devices begin with. */
    readonly interfacePrefix: string;
    /** Whether clients leave the host under the host's address. */
    readonly masquerade: boolean;
    /** Whether clients may reach one another. */
    readonly clientToClient: boolean;
}

interface Family {
    readonly keyword: "ip" | "ip6";
    readonly set: string;
    readonly type: string;
    readonly pools: readonly string[];
}

/** Commands that put the instance's table in place of whatever it left behind, all or nothing. */
export function firewallRuleset(options: FirewallOptions): string {
    const families = splitFamilies(options.pools);
    const devices = `"${checkedName("interface prefix", options.interfacePrefix)}*"`;
    const lines = [
        removalCommands(options.owner).trimEnd(),
        `table inet ${tableName(options.owner)} {`,
        ...families.flatMap(poolSet),
        // Accepting here lets other tables of the host still refuse; a drop, here or there, is final.
        "  chain forward {",
        "    type filter hook forward priority filter; policy accept;",
        ...(options.clientToClient ? [] : clientToClientDrops(families, devices)),
        "  }",
        ...(options.masquerade ? masqueradeChain(families, devices) : []),
        "}",
    ];
    return `${lines.join("\n")}\n`;
}

/** Commands that delete the instance's table; the first makes sure that there is one to delete. */
export function removalCommands(owner: string): string {
    const name = tableName(owner);
    return `add table inet ${name}\ndelete table inet ${name}\n`;
}

/** `postern_<owner>`. */
export function tableName(owner: string): string {
    return `postern_${checkedName("firewall owner", owner)}`;
}

/** What goes into a command must not be able to end it. */
function checkedName(what: string, name: string): string {
    if (/^[a-zA-Z0-9_-]{1,64}$/.test(name)) return name;
    throw new ConfigError("CONFIG_INVALID", `${what} ${JSON.stringify(name)}: expected letters, digits, _ and -`);
}

function splitFamilies(pools: FirewallOptions["pools"]): readonly Family[] {
    const ipv4 = pools.filter((pool) => pool.version === 4).map(formatCidr);
    const ipv6 = pools.filter((pool) => pool.version === 6).map(formatCidr);
    return [
        { keyword: "ip", set: "pools4", type: "ipv4_addr", pools: ipv4 } as const,
        { keyword: "ip6", set: "pools6", type: "ipv6_addr", pools: ipv6 } as const,
    ].filter((family) => family.pools.length > 0);
}

function poolSet({ set, type, pools }: Family): readonly string[] {
    return [
        `  set ${set} {`,
        `    type ${type}; flags interval; auto-merge`,
        `    elements = { ${pools.join(", ")} }`,
        "  }",
    ];
}

/** The second rule is for clients of other workers, which may be on other hosts. */
function clientToClientDrops(families: readonly Family[], devices: string): readonly string[] {
    return [
        `    iifname ${devices} oifname ${devices} counter drop`,
        ...families.map(({ keyword, set }) => `    ${keyword} saddr @${set} ${keyword} daddr @${set} counter drop`),
    ];
}

function masqueradeChain(families: readonly Family[], devices: string): readonly string[] {
    return [
        "  chain postrouting {",
        "    type nat hook postrouting priority srcnat; policy accept;",
        ...families.map(
            ({ keyword, set }) =>
                `    oifname != ${devices} ${keyword} saddr @${set} ${keyword} daddr != @${set} counter masquerade`,
        ),
        "  }",
    ];
}
