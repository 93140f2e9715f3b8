// Chooses the uplink that postern.yaml asks for.
import type { SessionWorkerSection } from "@postern/config";
import { parseIpv4 } from "@postern/ip";
import type { Logger } from "@postern/telemetry";
import { NullUplink } from "./null-uplink.ts";
import { TunUplink } from "./tun-uplink.ts";
import type { Uplink } from "./uplink.ts";

/** `owner` marks what this worker leaves in the kernel, so that it can be found and removed after a crash. */
export function createUplink({ uplink, ppp }: SessionWorkerSection, owner: string, log: Logger): Uplink {
    if (uplink.kind === "null") return new NullUplink(parseIpv4(uplink.gateway), parseIpv4);
    return new TunUplink({ ...uplink, mtu: ppp.mtu, owner }, log);
}
