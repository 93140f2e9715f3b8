// What a session needs to go on elsewhere, made of what its protocols say of themselves.  design.md part 3, "Snapshot".
import type { SessionSnapshot } from "@postern/contracts";
import type { LinkSnapshot } from "@postern/ppp";
import type { CallSnapshot } from "@postern/sstp";
import type { Deadlines } from "./session-deadlines.ts";
import type { SessionProtocols } from "./session-protocols.ts";

/** `undefined` while the call is not connected or the network not configured. */
export function composeSnapshot(
    { call, link }: Pick<SessionProtocols, "call" | "link">,
    deadlines: Deadlines,
    correlationId: string | undefined,
): SessionSnapshot | undefined {
    const sstp = call.snapshot();
    const ppp = link.snapshot();
    if (sstp === undefined || ppp === undefined) return undefined;
    return {
        version: 1,
        certificateHash: sstp.certificateHash,
        bound: true,
        identity: ppp.user,
        ...(correlationId === undefined ? {} : { correlationId }),
        sstp: { ...sstp },
        ppp: structuredClone(ppp) as unknown as SessionSnapshot["ppp"], // plain JSON, as LinkSnapshot promises
        deadlines: { ...deadlines },
    };
}

/** The protocols' own parts, as `composeSnapshot` of this version wrote them. */
export function protocolSnapshots({ sstp, ppp }: SessionSnapshot): {
    readonly call: CallSnapshot;
    readonly link: LinkSnapshot;
} {
    return { call: sstp as unknown as CallSnapshot, link: ppp as unknown as LinkSnapshot }; // `version` guards their form
}

/** SHA-1 fills 20 of the 32 bytes of the hash field with something else than zeros ([MS-SSTP] 2.2.6). */
export const bindingHashOf = (certificateHash: string): "sha1" | "sha256" =>
    /^[0-9a-f]{40}0{24}$/.test(certificateHash) ? "sha1" : "sha256";
