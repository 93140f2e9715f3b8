// The switches that make this host a router, ip-sysctl in the kernel's documentation.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DependencyError } from "@postern/errors";

const SWITCHES = { ipv4: "ipv4/ip_forward", ipv6: "ipv6/conf/all/forwarding" } as const;

/**
 * Turns forwarding on where it is off.  It stays on when postern stops: others may rely on it by then.  With IPv6
 * forwarding on, the host no longer takes its own routes from router advertisements (unless accept_ra is 2).
 */
export function enableForwarding(family: keyof typeof SWITCHES, root = "/proc/sys/net"): void {
    const file = path.join(root, SWITCHES[family]);
    try {
        if (readFileSync(file, "latin1").trim() === "1") return;
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
