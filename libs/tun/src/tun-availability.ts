// Whether this process can have a TUN device, and if not, what an administrator has to change.
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { isAddonBuilt } from "./addon.ts";

export type TunAvailability =
    | { readonly kind: "available" }
    | { readonly kind: "unavailable"; readonly reason: string };

/** What `tunAvailability` looks at. */
export interface HostFacts {
    readonly platform: string;
    readonly isAddonBuilt: boolean;
    readonly device: "missing" | "forbidden" | "usable";
    /** Text of /proc/self/status. */
    readonly status: string;
}

const CAP_NET_ADMIN = 12n;

/** Looks at this process and its host, and changes nothing. */
export function tunAvailability(facts: HostFacts = readHostFacts()): TunAvailability {
    const reason = findObstacle(facts);
    return reason === undefined ? { kind: "available" } : { kind: "unavailable", reason };
}

function findObstacle(facts: HostFacts): string | undefined {
    if (facts.platform !== "linux") return `TUN devices need Linux, and this is ${facts.platform}`;
    if (!facts.isAddonBuilt) return "the native addon is not built: run `make libs/tun/build/tun.node`";
    if (facts.device === "missing")
        return "/dev/net/tun is missing: modprobe tun, or map the device into the container";
    if (facts.device === "forbidden") return "/dev/net/tun may not be opened by this user";
    const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(facts.status)?.[1];
    const hasNetAdmin = capabilities !== undefined && ((BigInt(`0x${capabilities}`) >> CAP_NET_ADMIN) & 1n) === 1n;
    return hasNetAdmin ? undefined : "the process lacks CAP_NET_ADMIN: run it as root or grant that capability";
}

function readHostFacts(): HostFacts {
    const isLinux = process.platform === "linux";
    return {
        platform: process.platform,
        isAddonBuilt: isAddonBuilt(),
        device: deviceAccess("/dev/net/tun"),
        status: isLinux ? readFileSync("/proc/self/status", "latin1") : "",
    };
}

function deviceAccess(path: string): HostFacts["device"] {
    if (!existsSync(path)) return "missing";
    try {
        accessSync(path, constants.R_OK | constants.W_OK);
        return "usable";
    } catch {
        // The only way to learn the answer: access(2) has no other result than success and failure.
        return "forbidden";
    }
}
