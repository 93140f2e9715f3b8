// IPCP and IPV6CP with their options, the server's end, once the user is verified.  The first octet says what comes first.
import { concatBytes } from "@postern/bytes";
import { PppLink, PROTOCOL } from "@postern/ppp";
import type { FuzzTarget } from "../fuzz-target.ts";
import { PppPeer, STEP } from "../ppp-peer.ts";

const { lcp, pap, ipcp, ipv6cp, ccp } = PROTOCOL;

const VERIFIED = concatBytes(
    STEP.comply(lcp),
    STEP.frame(lcp, 1, 0x70, 0, 14, 1, 4, 0x05, 0xdc, 5, 6, 1, 2, 3, 4),
    STEP.frame(pap, 1, 0x30, 0, 8, 1, 0x75, 1, 0x70),
    STEP.accept,
);
/** Frames that come before the network is configured are kept for it. */
const PRELUDES = [concatBytes(VERIFIED, STEP.configure), VERIFIED, concatBytes(VERIFIED, Uint8Array.of(0xe1))] as const;

const ANY_ADDRESS = [3, 6, 0, 0, 0, 0];
const LEASED = [3, 6, 192, 0, 2, 77];

function* seeds(): Iterable<Uint8Array> {
    const windows = STEP.frame(
        ipcp,
        1,
        6,
        0,
        34,
        ...ANY_ADDRESS,
        ...[129, 130, 131, 132].flatMap((type) => [type, 6, 0, 0, 0, 0]),
    );
    const leased = STEP.frame(ipcp, 1, 7, 0, 10, ...LEASED);
    yield concatBytes(Uint8Array.of(0), STEP.comply(ipcp), windows, leased, STEP.frame(lcp, 9, 1, 0, 8, 1, 2, 3, 4));
    yield concatBytes(Uint8Array.of(1), windows, leased, STEP.configure, STEP.comply(ipcp));
    yield concatBytes(Uint8Array.of(2), STEP.comply(ipcp), leased, STEP.frame(ipcp, 5, 9, 0, 4), STEP.timer);
    // pppd: Van Jacobson compression, name servers.
    yield concatBytes(
        Uint8Array.of(0),
        STEP.frame(ipcp, 1, 1, 0, 28, 2, 6, 0, 0x2d, 15, 1, ...ANY_ADDRESS, 129, 6, 0, 0, 0, 0, 131, 6, 0, 0, 0, 0),
    );
    yield concatBytes(
        Uint8Array.of(0),
        STEP.frame(ipcp, 1, 1, 0, 14, 1, 10, 1, 2, 3, 4, 5, 6, 7, 8),
        STEP.frame(ipcp, 1, 2, 0, 4),
    );
    yield concatBytes(
        Uint8Array.of(0),
        STEP.frame(ipcp, 3, 1, 0, 10, 3, 6, 10, 0, 0, 1),
        STEP.frame(ipcp, 4, 2, 0, 10, 3, 6, 192, 0, 2, 1),
    );
    const identifier = [1, 10, 0, 0, 0, 0, 0, 0, 0, 9];
    yield concatBytes(
        Uint8Array.of(0),
        STEP.comply(ipv6cp),
        STEP.frame(ipv6cp, 1, 1, 0, 14, ...identifier),
        STEP.comply(ipcp),
        leased,
    );
    yield concatBytes(
        Uint8Array.of(0),
        STEP.frame(ipv6cp, 1, 1, 0, 14, 1, 10, 0, 0, 0, 0, 0, 0, 0, 0),
        STEP.frame(ipv6cp, 1, 2, 0, 4),
    );
    yield concatBytes(Uint8Array.of(2), STEP.frame(ipv6cp, 1, 1, 0, 14, ...identifier), STEP.frame(ccp, 1, 1, 0, 4));
    yield concatBytes(
        Uint8Array.of(0),
        STEP.frame(lcp, 8, 2, 0, 10, 0x80, 0x57, 1, 1, 0, 4),
        STEP.frame(lcp, 8, 3, 0, 10, 0x80, 0x21, 1, 1, 0, 4),
    );
}

export const target: FuzzTarget = {
    maxLength: 512,
    seeds,
    run(bytes) {
        const peer = new PppPeer((ports) => new PppLink({ authentication: ["pap"], serverName: "postern" }, ports));
        peer.run(PRELUDES[(bytes[0] ?? 0) % PRELUDES.length] ?? VERIFIED).run(bytes.subarray(1));
    },
};
