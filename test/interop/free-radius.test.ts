// Logins that a FreeRADIUS decides about, with every method that it and a client can do.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import type { RadiusUser } from "@postern/testkit";
import { type Cell, CELLS } from "./cells.ts";
import { type Login, PPPD_METHODS, proveLogin, proveRefusal } from "./login-proof.ts";
import type { OwnConnection } from "./own-client.ts";
import { dialPeap, provePeap, untilPrincipals } from "./peap-proof.ts";
import { openRadiusStage, TLS_REALM, type RadiusStage } from "./radius-stage.ts";

type Method = Cell["method"];

const LOCKOUT = 3;
const password = randomBytes(12).toString("base64url");
const nameFor = (method: Method): string => `user-${method.toLowerCase()}`;
const SECURE_USER = `carol@${TLS_REALM}`;
const USERS: readonly RadiusUser[] = [
    ...(["PAP", "CHAP-MD5", "MS-CHAPv2", "EAP-MSCHAPv2"] as const).map((method) => ({
        name: nameFor(method),
        password,
    })),
    { name: SECURE_USER, password },
    { name: nameFor("PEAP-MSCHAPv2"), password, eap: "PEAP" },
    { name: nameFor("EAP-TLS"), eap: "TLS" },
    { name: "bob", password, eap: "PEAP", reply: ["Port-Limit := 1"] },
];

let scene: RadiusStage;
before(async () => {
    const settings = { "auth-broker.lockout.failures": LOCKOUT };
    scene = await openRadiusStage(() => Promise.resolve({ users: USERS }), settings);
});
after(() => scene.stage[Symbol.asyncDispose]());

async function provePassword(method: Method): Promise<void> {
    const user = nameFor(method);
    const pppd = PPPD_METHODS[method];
    await proveRefusal(scene.stage, { user, password: `${password}x`, method: pppd });
    await proveLogin(scene.stage, { user, password, method: pppd, principal: user });
}

/** Instead of a wrong password somebody else's certificate, of the right authority. */
async function proveCertificate(method: Method): Promise<void> {
    const { stage, radius } = scene;
    const user = nameFor(method);
    const login = async (name: string): Promise<Omit<Login, "principal">> => {
        const certificate = await radius.authority.issue({ names: [name], keyType: "rsa" });
        const eapTls = { authority: radius.authority.cert, certificate };
        return { user, password: "", method: PPPD_METHODS[method], eapTls };
    };
    await proveRefusal(stage, await login("bob"));
    await proveLogin(stage, { ...(await login(user)), principal: user });
}

const PROOFS: Readonly<Record<Method, Pick<Cell, "client"> & { readonly prove: (method: Method) => Promise<void> }>> = {
    PAP: { client: "sstpc", prove: provePassword },
    "CHAP-MD5": { client: "sstpc", prove: provePassword },
    "MS-CHAPv2": { client: "sstpc", prove: provePassword },
    "EAP-MSCHAPv2": { client: "sstpc", prove: provePassword },
    "EAP-TLS": { client: "sstpc", prove: proveCertificate },
    "PEAP-MSCHAPv2": {
        client: "ours",
        prove: (method) => provePeap(scene.stage, scene.radius, nameFor(method), password),
    },
};

test("a user of FreeRADIUS whom a proxy is asked about over TLS logs in, and with a wrong password does not", async () => {
    const method = PPPD_METHODS["MS-CHAPv2"];
    await proveRefusal(scene.stage, { user: SECURE_USER, password: `${password}x`, method });
    await proveLogin(scene.stage, { user: SECURE_USER, password, method, principal: SECURE_USER });
});

for (const { method, client } of CELLS.filter(({ backend }) => backend === "FreeRADIUS")) {
    test(`a user of FreeRADIUS logs in with ${method}, and with a wrong password or certificate does not`, async () => {
        const proof = PROOFS[method];
        assert.equal(proof.client, client);
        await proof.prove(method);
    });
}

test("a PEAP login whose outer identity is somebody else's moves nothing of that somebody", async () => {
    const { stage, radius } = scene;
    const dialAsBob = (user: string, secret = password): Promise<OwnConnection> =>
        dialPeap(stage, radius, { user, password: secret, identity: "bob" });
    const bob = await dialAsBob("bob");
    assert.ok(bob.result.kind === "connected", JSON.stringify(bob.result));
    const user = nameFor("PEAP-MSCHAPv2");

    // Bob may have one session, which would be in the way of another one of his; and so many failures of his would lock him out.
    for (let failure = 0; failure <= LOCKOUT; failure += 1) {
        const refused = await dialAsBob(user, `${password}x`);
        assert.equal(refused.result.kind, "failed");
        await refused.hangUp();
    }
    const other = await dialAsBob(user);
    assert.ok(other.result.kind === "connected", JSON.stringify(other.result));
    assert.notEqual(other.result.address, bob.result.address);
    await untilPrincipals(stage, ["bob", user]);
    await other.hangUp();
    await untilPrincipals(stage, ["bob"]);

    await bob.hangUp();
    await untilPrincipals(stage, []);
    const again = await dialAsBob("bob");
    assert.ok(again.result.kind === "connected", JSON.stringify(again.result));
    assert.equal(again.result.address, bob.result.address, "his address has been kept for him");
    await again.hangUp();
    await untilPrincipals(stage, []);
});
