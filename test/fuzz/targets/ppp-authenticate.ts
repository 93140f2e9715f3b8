// PAP, CHAP, MS-CHAPv2 and EAP, the server's end, once LCP is open.  The first octet says which.
import { concatBytes } from "@postern/bytes";
import { PppLink, PROTOCOL } from "@postern/ppp";
import type { FuzzTarget } from "../fuzz-target.ts";
import { PppPeer, STEP } from "../ppp-peer.ts";

const { lcp, pap, chap, eap } = PROTOCOL;
const METHODS = ["pap", "mschapv2", "chap", "eap"] as const;

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

const md5Response = (identifier: number, user: string): Uint8Array =>
    STEP.frame(chap, 2, identifier, 0, 21 + user.length, 16, ...new Uint8Array(16).fill(0x31), ...Buffer.from(user));

const eapResponse = (identifier: number, type: number, data: string): Uint8Array =>
    STEP.frame(eap, 2, identifier, 0, 5 + data.length, type, ...Buffer.from(data));

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
    yield concatBytes(Uint8Array.of(2), md5Response(1, "user"), md5Response(1, "user"), STEP.accept);
    yield concatBytes(Uint8Array.of(2), STEP.timer, md5Response(1, "user"), STEP.refuse, md5Response(1, "user"));
    const identity = concatBytes(Uint8Array.of(3), eapResponse(1, 1, "user"));
    yield concatBytes(identity, STEP.eapRequest, eapResponse(2, 4, "answer"), STEP.accept, eapResponse(2, 4, "answer"));
    yield concatBytes(identity, STEP.eapRequest, STEP.timer, eapResponse(1, 1, "user"), eapResponse(2, 3, "\u001a"));
    yield concatBytes(identity, STEP.eapRefuse, eapResponse(0x55, 4, ""));
    yield concatBytes(identity, identity.subarray(1), STEP.refuse, eapResponse(1, 1, "user"));
}

export const target: FuzzTarget = {
    maxLength: 512,
    seeds,
    run(bytes) {
        const authentication = METHODS.filter((_, index) => index === ((bytes[0] ?? 0) & 3));
        const peer = new PppPeer((ports) => new PppLink({ authentication, serverName: "postern" }, ports));
        peer.run(PRELUDE).run(bytes.subarray(1));
    },
};
