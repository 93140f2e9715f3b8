// Several tunnels to one server from one host: each has a routing table of its own, chosen by the source address.

export interface SourceRoute {
    readonly source: string;
    readonly destination: string;
    readonly device: string;
    /** A number that no other tunnel of this host has. */
    readonly table: number;
}

/** Arguments of `ip`, command by command. */
export const addSourceRoute = ({ source, destination, device, table }: SourceRoute): string[][] => [
    ["route", "replace", `${destination}/32`, "dev", device, "src", source, "table", String(table)],
    ["rule", "add", "from", `${source}/32`, "lookup", String(table)],
];

/** The route goes with its device. */
export const deleteSourceRule = ({ source, table }: SourceRoute): string[] => [
    "rule",
    "delete",
    "from",
    `${source}/32`,
    "lookup",
    String(table),
];
