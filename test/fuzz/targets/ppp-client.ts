// The client's end of a link, which probes and tests use: a server that says anything.  The first octet chooses whom it imitates.
import assert from "node:assert/strict";
import { concatBytes } from "@postern/bytes";
import { CLIENT_PROFILES, PppClientLink, PROTOCOL } from "@postern/ppp";
import { DIGESTS } from "../../../libs/ppp/test/support/digests.ts";
import type { FuzzTarget } from "../fuzz-target.ts";
import { PppPeer, STEP } from "../ppp-peer.ts";

const { lcp, pap, chap, ipcp, ipv6cp } = PROTOCOL;
const PROFILES = Object.values(CLIENT_PROFILES);

const WITH_PAP = concatBytes(
    STEP.frame(lcp, 1, 1, 0, 12, 1, 4, 0x0f, 0xfb, 3, 4, 0xc0, 0x23),
    STEP.comply(lcp),
    STEP.comply(pap),
);
const WITH_CHAP = concatBytes(STEP.frame(lcp, 1, 1, 0, 9, 3, 5, 0xc2, 0x23, 0x81), STEP.comply(lcp));
const challenge = STEP.frame(chap, 1, 5, 0, 24, 16, ...new Uint8Array(16).fill(0x55), ...Buffer.from("srv"));
const chapMessage = (code: number, text: string): Uint8Array =>
    STEP.frame(chap, code, 5, 0, 4 + text.length, ...Buffer.from(text));

function* seeds(): Iterable<Uint8Array> {
    for (const profile of PROFILES.keys()) {
        const first = Uint8Array.of(profile);
        const network = concatBytes(
            STEP.frame(ipcp, 1, 1, 0, 10, 3, 6, 192, 0, 2, 1),
            STEP.frame(ipcp, 3, 1, 0, 16, 3, 6, 192, 0, 2, 77, 129, 6, 192, 0, 2, 53),
            STEP.comply(ipcp),
            STEP.frame(ipv6cp, 1, 1, 0, 14, 1, 10, 0, 0, 0, 0, 0, 0, 0, 1),
            STEP.comply(ipv6cp),
        );
        yield concatBytes(first, WITH_PAP, network, STEP.terminate, STEP.timer);
        yield concatBytes(first, WITH_CHAP, challenge, chapMessage(3, `S=${"0".repeat(40)} M=welcome`));
        yield concatBytes(first, WITH_CHAP, challenge, chapMessage(3, `S=${"0".repeat(40)}`));
        yield concatBytes(
            first,
            WITH_CHAP,
            challenge,
            chapMessage(4, `E=691 R=1 C=${"A5".repeat(16)} V=3 M=again`),
            STEP.timer,
        );
    }
    yield concatBytes(
        Uint8Array.of(0),
        STEP.frame(lcp, 4, 0, 0, 8, 1, 4, 0x0f, 0xfb),
        STEP.frame(lcp, 3, 1, 0, 8, 1, 4, 1, 0),
        STEP.frame(lcp, 7, 2, 0, 8, 12, 2, 0, 4),
    );
    yield concatBytes(
        Uint8Array.of(1),
        WITH_PAP,
        STEP.frame(pap, 3, 1, 0, 7, 2, 0x6e, 0x6f),
        STEP.frame(ipcp, 4, 1, 0, 10, 3, 6, 0, 0, 0, 0),
    );
}

export const target: FuzzTarget = {
    maxLength: 512,
    seeds,
    run(bytes) {
        const profile = PROFILES[(bytes[0] ?? 0) % PROFILES.length] ?? CLIENT_PROFILES.windows;
        const options = { profile, user: "user", password: "password", computer: "TESTER" };
        const create = (ports: ConstructorParameters<typeof PppClientLink>[1]): PppClientLink =>
            new PppClientLink(options, ports);
        new PppPeer((ports) => create({ ...ports, digests: DIGESTS, authenticated: assertNotFooled })).run(
            bytes.subarray(1),
        );
    },
};

/** PAP proves nothing and yields no key; for MS-CHAPv2 a server needs the password, which this one does not have. */
const assertNotFooled = (hlak: Uint8Array): void =>
    assert.ok(
        hlak.every((octet) => octet === 0),
        "a server that does not know the password was believed",
    );
