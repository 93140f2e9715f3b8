// LCP and its options, the server's end, from the first frame on.
import { concatBytes } from "@postern/bytes";
import { PppLink, PROTOCOL } from "@postern/ppp";
import type { FuzzTarget } from "../fuzz-target.ts";
import { PppPeer, STEP } from "../ppp-peer.ts";

const { lcp, ccp } = PROTOCOL;

function* seeds(): Iterable<Uint8Array> {
    // MRU, magic number, both compressions; as Windows: with callback; as pppd: with async map.
    yield concatBytes(STEP.comply(lcp), STEP.frame(lcp, 1, 0, 0, 18, 1, 4, 0x0f, 0xfb, 5, 6, 1, 2, 3, 4, 7, 2, 8, 2));
    yield concatBytes(STEP.frame(lcp, 1, 0, 0, 17, 1, 4, 0x05, 0xdc, 5, 6, 1, 2, 3, 4, 13, 3, 6), STEP.comply(lcp));
    yield concatBytes(STEP.frame(lcp, 1, 1, 0, 16, 2, 6, 0, 0, 0, 0, 5, 6, 9, 9, 9, 9), STEP.timer, STEP.terminate);
    // Nak of the method: PAP, EAP, MS-CHAP version 1; Reject of all.
    yield STEP.frame(lcp, 3, 1, 0, 8, 3, 4, 0xc0, 0x23);
    yield STEP.frame(lcp, 3, 1, 0, 8, 3, 4, 0xc2, 0x27);
    yield STEP.frame(lcp, 3, 1, 0, 9, 3, 5, 0xc2, 0x23, 0x80);
    yield STEP.frame(lcp, 4, 1, 0, 9, 3, 5, 0xc2, 0x23, 0x81);
    yield STEP.frame(lcp, 3, 1, 0, 14, 1, 4, 0, 64, 5, 6, 0, 0, 0, 0);
    // Terminate, Code-Reject, Protocol-Reject, Echo, Identification, a protocol that is not there.
    yield concatBytes(STEP.frame(lcp, 5, 1, 0, 4), STEP.timer);
    yield concatBytes(STEP.frame(lcp, 7, 1, 0, 8, 12, 1, 0, 4), STEP.frame(lcp, 8, 1, 0, 8, 0xc0, 0x21, 1, 1));
    yield concatBytes(STEP.frame(lcp, 9, 1, 0, 8, 0, 0, 0, 0), STEP.frame(ccp, 1, 1, 0, 4));
    yield STEP.frame(lcp, 12, 1, 0, 18, 0, 0, 0, 0, ...Buffer.from("MSRASV5.20"));
}

export const target: FuzzTarget = {
    maxLength: 512,
    seeds,
    run: (bytes) =>
        void new PppPeer(
            (ports) =>
                new PppLink(
                    {
                        authentication: ["mschapv2", "pap"],
                        serverName: "postern",
                        echo: { intervalMs: 1000, failures: 3 },
                    },
                    ports,
                ),
        ).run(bytes),
};
