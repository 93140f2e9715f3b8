// Logins with PEAP, which pppd does not end as FreeRADIUS does: with our own client.
import assert from "node:assert/strict";
import { eventually, type FreeRadius } from "@postern/testkit";
import { SERVER_NAME, type LoginStage } from "./login-stage.ts";
import { dialWithOurs, type OwnConnection } from "./own-client.ts";
import { ADDRESSES } from "./topology.ts";

export interface PeapLogin {
    readonly user: string;
    readonly password: string;
    /** What the client calls itself outside of TLS. */
    readonly identity: string;
}

export function dialPeap(stage: LoginStage, radius: FreeRadius, login: PeapLogin): Promise<OwnConnection> {
    const { user, password, identity } = login;
    const options = {
        host: ADDRESSES.server,
        port: 443,
        servername: SERVER_NAME,
        ca: stage.authority,
        user,
        password,
        method: "eap",
        eapIdentity: identity,
        peap: { ca: radius.authority.cert, serverName: radius.serverName },
    } as const;
    return dialWithOurs(stage.topology.client, { options, targets: [stage.ready.gateway, ADDRESSES.inside] });
}

export const untilPrincipals = (stage: LoginStage, expected: readonly string[]): Promise<void> =>
    eventually(
        async () => {
            const principals = (await stage.sessions()).map(({ principal }) => principal);
            assert.deepEqual(principals.toSorted(), expected);
        },
        { what: `the sessions of ${expected.join(", ") || "nobody"}`, every: 200 },
    );

/** A wrong password is refused; the right one makes a session that carries packets and is the user's. */
export async function provePeap(stage: LoginStage, radius: FreeRadius, user: string, password: string): Promise<void> {
    const refused = await dialPeap(stage, radius, { user, password: `${password}x`, identity: user });
    assert.ok(refused.result.kind === "failed" && refused.result.step === "auth", JSON.stringify(refused.result));
    await refused.hangUp();
    const { result, hangUp } = await dialPeap(stage, radius, { user, password, identity: user });
    assert.equal(result.kind, "connected", JSON.stringify(result));
    await untilPrincipals(stage, [user]);
    await hangUp();
    await untilPrincipals(stage, []);
}
