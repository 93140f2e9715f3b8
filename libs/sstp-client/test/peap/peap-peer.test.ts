import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fromHex, toHex } from "@postern/bytes";
import { type CertificateAuthority, createCertificateAuthority, type IssuedCertificate } from "@postern/testkit";
import { PeapPeer } from "../../src/peap/peap-peer.ts";
import { PeapServer, type PeapServerOptions } from "./peap-server.ts";

const SERVER_NAME = "radius.example";
const PASSWORD = "right horse";
let authority: CertificateAuthority;
let certificate: IssuedCertificate;
before(async () => {
    authority = await createCertificateAuthority();
    certificate = await authority.issue({ names: [SERVER_NAME] });
});

const peerOf = (password = PASSWORD, ca = authority.cert): PeapPeer =>
    new PeapPeer({ user: "alice", password }, "anonymous", { ca, serverName: SERVER_NAME });
const serverOf = (peer: PeapPeer, options: Partial<PeapServerOptions> = {}): PeapServer =>
    new PeapServer(peer, { key: certificate.key, cert: certificate.cert, password: PASSWORD, ...options });

for (const wholeIdentity of [false, true]) {
    test(`both ends have the same keys; the Identity inside ${wholeIdentity ? "with" : "without"} a header`, async () => {
        const peer = peerOf();
        const { outer, inner, result, msk } = await serverOf(peer, { wholeIdentity }).serve();
        assert.deepEqual([outer, inner], ["anonymous", "alice"]);
        assert.equal(toHex(result), "0209000b21800300020001");
        assert.equal(toHex(peer.hlak ?? fromHex("")), toHex(msk.subarray(0, 32)));
    });
}

test("a message in many fragments, and in one packet, is the same", async () => {
    for (const fragmentSize of [20, 4_000]) {
        const peer = peerOf();
        await serverOf(peer, { fragmentSize }).serve();
        assert.ok(peer.hlak !== undefined);
    }
});

test("a wrong password is refused inside, with the server's words", async () => {
    const peer = peerOf("wrong horse");
    await assert.rejects(serverOf(peer).serve(), /wrong password/u);
    assert.deepEqual([peer.hlak, peer.refusal], [undefined, "error 691 wrong"]);
});

test("a server of another authority or another name does not get so far as to see the user's name", async () => {
    const stranger = await createCertificateAuthority("A stranger");
    const other = await authority.issue({ names: ["other.example"] });
    for (const [peer, options] of [
        [peerOf(PASSWORD, stranger.cert), {}],
        [peerOf(), { key: other.key, cert: other.cert }],
    ] as const) {
        await assert.rejects(serverOf(peer, options).serve());
        assert.match(peer.refusal ?? "", /^TLS: /u);
        assert.equal(peer.hlak, undefined);
    }
});

test("a server that says success without having proved that it knows the password is not believed", async () => {
    const peer = peerOf();
    const { result } = await serverOf(peer, { skipsLogin: true }).serve();
    assert.equal(toHex(result), "0209000b21800300020002");
    assert.equal(peer.hlak, undefined);
});

test("other methods are answered with a Nak for PEAP, notifications with nothing, garbage not at all", async () => {
    const peer = peerOf();
    const respond = async (hex: string): Promise<string> => toHex((await peer.respond(fromHex(hex))) ?? fromHex(""));
    assert.equal(await respond("010500060d20"), "020500060319");
    assert.equal(await respond("010600060268"), "0206000502");
    for (const hex of ["", "0107", "0207000519", "0108000519", "010900061900"]) {
        assert.equal(await respond(hex), "", hex);
    }
});
