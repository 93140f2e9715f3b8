// What a login must show before its cell of docs/compatibility.md counts: with the real client, and the real keys of the method.
import assert from "node:assert/strict";
import { eventually } from "@postern/testkit";
import type { Cell } from "./cells.ts";
import { download } from "./file-transfer.ts";
import { SERVER_NAME, type LoginStage } from "./login-stage.ts";
import type { DialOptions } from "./dial-script.ts";
import type { DialResult } from "./real-client.ts";
import { ADDRESSES } from "./topology.ts";

const FILE_SIZE = 2_000_000;
const ping = (address: string): string => `ping -c 3 -i 0.2 -W 2 ${address}`;

/** How pppd goes about a method, and what it says of it. */
export interface PppdMethod {
    readonly option: NonNullable<DialOptions["method"]>;
    /** As its log names what was agreed to in LCP. */
    readonly negotiated: string;
    /** What its log shows when the method was done. */
    readonly done: RegExp;
    /** Whether the method leaves both ends with keys, which the crypto binding is then made with. */
    readonly hasKeys: boolean;
    /** How its log shows that the server refuses a password. */
    readonly refused: RegExp;
}

export const PPPD_METHODS = {
    PAP: {
        option: "pap",
        negotiated: "pap",
        done: /rcvd \[PAP AuthAck/u,
        hasKeys: false,
        refused: /rcvd \[PAP AuthNak/u,
    },
    "CHAP-MD5": {
        option: "chap",
        negotiated: "chap MD5",
        done: /rcvd \[CHAP Success/u,
        hasKeys: false,
        refused: /rcvd \[CHAP Failure/u,
    },
    "MS-CHAPv2": {
        option: "mschap-v2",
        negotiated: "chap MS-v2",
        done: /rcvd \[CHAP Success .*S=[0-9A-F]{40}/u,
        hasKeys: true,
        refused: /rcvd \[CHAP Failure .*E=691 R=0/u,
    },
    "EAP-MSCHAPv2": {
        option: "eap",
        negotiated: "eap",
        done: /rcvd \[EAP Request id=\S+ MSCHAPv2[^\]]*S=[0-9A-F]{40}[^]*rcvd \[EAP Success/u,
        hasKeys: true,
        // A RADIUS server may allow another try (R=1), which pppd does not make.
        refused: /rcvd \[EAP Request id=\S+ MSCHAPv2[^\]]*E=691 R=[01]/u,
    },
    "EAP-TLS": {
        option: "eap",
        negotiated: "eap",
        done: /sent \[EAP Response id=\S+ TLS[^]*rcvd \[EAP Success/u,
        hasKeys: true,
        refused: /rcvd \[EAP Failure/u,
    },
    "PEAP-MSCHAPv2": {
        option: "eap",
        negotiated: "eap",
        done: /rcvd \[EAP Success/u,
        hasKeys: true,
        refused: /rcvd \[EAP Failure/u,
    },
} as const satisfies Readonly<Record<Cell["method"], PppdMethod>>;

export interface Login extends Pick<DialOptions, "user" | "password" | "eapTls"> {
    readonly method: PppdMethod;
    /** Who postern must say that the session belongs to. */
    readonly principal: string;
}

/** The session comes up, carries packets and a file, and is the principal's. */
export async function proveLogin(stage: LoginStage, login: Login): Promise<void> {
    const { client, ready } = stage;
    const { method, principal } = login;
    const connection = await client.connect(dialOf(stage, login));
    assert.equal(await connection.method(), method.negotiated);
    const log = await connection.log();
    assert.match(log, method.done);
    // The worker lets nothing pass before it has verified the MAC; with keys, it could not have guessed the client's.
    assert.equal(/The mppe (?:send|recv) key/u.test(log), method.hasKeys, log);
    for (const address of [ready.gateway, ADDRESSES.inside]) await client.guest.expect(ping(address));
    const { bytes, sha256, expected } = await download(client.guest, FILE_SIZE);
    assert.deepEqual([bytes, sha256], [FILE_SIZE, expected]);
    const sessions = await stage.sessions();
    assert.deepEqual(
        sessions.map((session) => [session.principal, session.address]),
        [[principal, connection.addresses.address]],
    );
    await connection.hangUp();
    await eventually(async () => assert.deepEqual(await stage.sessions(), []), {
        what: "the session to be gone",
        every: 200,
    });
}

/** The login fails as its method says it. */
export async function proveRefusal(stage: LoginStage, login: Omit<Login, "principal">): Promise<void> {
    const result: DialResult = await stage.client.dial(dialOf(stage, login));
    assert.ok(result.kind === "failed", "it connected");
    assert.equal(result.status, 19, result.log);
    assert.match(result.log, login.method.refused);
    assert.deepEqual(await stage.sessions(), []);
}

const dialOf = ({ authority }: LoginStage, { user, password, method, eapTls }: Omit<Login, "principal">) => ({
    host: SERVER_NAME,
    authority,
    user,
    password,
    method: method.option,
    ...(eapTls === undefined ? {} : { eapTls }),
});
