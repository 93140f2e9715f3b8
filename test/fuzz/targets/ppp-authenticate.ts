// PAP and MS-CHAPv2, the server's end, once LCP is open.  The first octet says which.
import { concatBytes } from "@postern/bytes";
import { PppLink, PROTOCOL } from "@postern/ppp";
import type { FuzzTarget } from "../fuzz-target.ts";
import { PppPeer, STEP } from "../ppp-peer.ts";

const { lcp, pap, chap } = PROTOCOL;

/** LCP opens. */
const PRELUDE = concatBytes(STEP.comply(lcp), STEP.frame(lcp, 1, 0x70, 0, 14, 1, 4, 0x05, 0xdc, 5, 6, 1, 2, 3, 4));

const papRequest = (identifier: number, user: string, password: string): Uint8Array =>
    STEP.frame(
        pap,
        1,
        identifier,
        0,
        6 + user.length + password.length,
        user.length,
        ...Buffer.from(user),
        password.length,
        ...Buffer.from(password),
    );

const chapResponse = (identifier: number, user: string): Uint8Array =>
    STEP.frame(chap, 2, identifier, 0, 54 + user.length, 49, ...new Uint8Array(49).fill(0x31), ...Buffer.from(user));

function* seeds(): Iterable<Uint8Array> {
    yield concatBytes(
        Uint8Array.of(0),
        papRequest(1, "user", "password"),
        papRequest(1, "user", "password"),
        STEP.accept,
    );
    yield concatBytes(Uint8Array.of(0), papRequest(1, "user", "wrong"), STEP.refuse, papRequest(2, "user", "password"));
    yield concatBytes(Uint8Array.of(0), STEP.timer, chapResponse(1, "user"));
    yield concatBytes(Uint8Array.of(1), chapResponse(1, "DOMAIN\\user"), STEP.accept, chapResponse(1, "DOMAIN\\user"));
    yield concatBytes(Uint8Array.of(1), chapResponse(1, "user"), STEP.refuse, chapResponse(2, "user"), STEP.refuse);
    yield concatBytes(
        Uint8Array.of(1),
        STEP.timer,
        chapResponse(1, "user"),
        Uint8Array.of(0xc3),
        chapResponse(2, "user"),
    );
    yield concatBytes(Uint8Array.of(1), chapResponse(1, "user"), STEP.frame(lcp, 1, 1, 0, 4), STEP.terminate);
    yield concatBytes(Uint8Array.of(1), STEP.frame(lcp, 8, 1, 0, 10, 0xc2, 0x23, 2, 1, 0, 4));
}

export const target: FuzzTarget = {
    maxLength: 512,
    seeds,
    run(bytes) {
        const authentication = ((bytes[0] ?? 0) & 1) === 0 ? (["pap"] as const) : (["mschapv2"] as const);
        const peer = new PppPeer((ports) => new PppLink({ authentication, serverName: "postern" }, ports));
        peer.run(PRELUDE).run(bytes.subarray(1));
    },
};
