// The switches that make this host a router, ip-sysctl in the kernel's documentation.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DependencyError } from "@postern/errors";

const SWITCHES = { ipv4: "ipv4/ip_forward", ipv6: "ipv6/conf/all/forwarding" } as const;

/** Throws a `DependencyError` where the host has no IPv6, or its administrator has switched it off for new interfaces. */
export function requireIpv6(root = "/proc/sys/net"): void {
    const disabled = readIfThere(path.join(root, "ipv6/conf/default/disable_ipv6"));
    if (disabled === "0") return;
    if (disabled === undefined) throw new DependencyError("IPV6_UNAVAILABLE", "the kernel has no IPv6");
    throw new DependencyError("IPV6_UNAVAILABLE", "net.ipv6.conf.default.disable_ipv6 is set");
}

/**
 * Turns forwarding on where it is off.  It stays on when postern stops: others may rely on it by then.  A host that takes its
 * own routes from router advertisements goes on with that: accept_ra becomes 2 where it is 1, which stops at forwarding.
 */
export function enableForwarding(family: keyof typeof SWITCHES, root = "/proc/sys/net"): void {
    const file = path.join(root, SWITCHES[family]);
    try {
        if (readFileSync(file, "latin1").trim() === "1") return;
        if (family === "ipv6") keepAcceptingRoutes(path.join(root, "ipv6/conf"));
        writeFileSync(file, "1\n");
    } catch (cause) {
        const setting = `net.${SWITCHES[family].replaceAll("/", ".")}=1`;
        throw new DependencyError(
            "FORWARDING_REFUSED",
            `${file} cannot be set; run \`sysctl -w ${setting}\` on the host`,
            {
                cause,
            },
        );
    }
}

function keepAcceptingRoutes(directory: string): void {
    for (const name of readdirSync(directory)) {
        const file = path.join(directory, name, "accept_ra");
        // `all` says nothing of single interfaces.
        if (name !== "all" && readIfThere(file) === "1") writeFileSync(file, "2\n");
    }
}

/** An interface may go away at any time. */
function readIfThere(file: string): string | undefined {
    try {
        return readFileSync(file, "latin1").trim();
    } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
    }
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";
