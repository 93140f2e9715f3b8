// Several tunnels to one server from one host: each has a routing table of its own, chosen by the source address.

export interface SourceRoute {
    readonly source: string;
    readonly destination: string;
    readonly device: string;
    /** A number that no other tunnel of this host has. */
    readonly table: number;
}

/** Arguments of `ip`, command by command; both addresses are of one version. */
export const addSourceRoute = ({ source, destination, device, table }: SourceRoute): string[][] => [
    [version(source), "route", "replace", destination, "dev", device, "src", source, "table", String(table)],
    [version(source), "rule", "add", "from", source, "lookup", String(table)],
];

/** The route goes with its device. */
export const deleteSourceRule = ({ source, table }: SourceRoute): string[] => [
    version(source),
    "rule",
    "delete",
    "from",
    source,
    "lookup",
    String(table),
];

const version = (address: string): string => (address.includes(":") ? "-6" : "-4");
