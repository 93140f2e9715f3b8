import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "@postern/bytes";
import { ATTRIBUTE, valuesOf, type Attribute } from "@postern/radius";
import type { AttemptCredentials } from "../../../src/auth-backend.ts";
import { accessRequest, nasAttributes, uncarriable } from "../../../src/backends/radius/access-request.ts";

const NAS = { identifier: "vpn-1", address: "192.0.2.9" };
const SECRETS = { authenticator: new Uint8Array(16).fill(3), secret: encodeUtf8("shared by a test") };
const STATE: Attribute = { type: ATTRIBUTE.state, value: Uint8Array.of(7, 7) };

function request(credentials: AttemptCredentials, state: readonly Attribute[] = []): readonly Attribute[] {
    const client = { address: "198.51.100.7", port: 4_711 };
    const attempt = { session: "abcdefgh", attempt: 1, worker: "w1", client, serverName: "vpn.example", credentials };
    return accessRequest(attempt, NAS, state, SECRETS);
}

const textOf = (attributes: readonly Attribute[], type: number): string[] =>
    valuesOf(attributes, type).map((value) => Buffer.from(value).toString("utf8"));

test("every request says who asks, for whom, and from where", () => {
    const attributes = request({ method: "pap", identity: "kim", password: encodeUtf8("secret") }, [STATE]);
    assert.deepEqual(textOf(attributes, ATTRIBUTE.userName), ["kim"]);
    assert.deepEqual(textOf(attributes, ATTRIBUTE.nasIdentifier), ["vpn-1"]);
    assert.deepEqual(textOf(attributes, ATTRIBUTE.callingStationId), ["198.51.100.7"]);
    assert.deepEqual(textOf(attributes, ATTRIBUTE.calledStationId), ["vpn.example"]);
    assert.deepEqual(textOf(attributes, ATTRIBUTE.acctSessionId), ["abcdefgh"]);
    assert.deepEqual(valuesOf(attributes, ATTRIBUTE.nasIpAddress), [Uint8Array.of(192, 0, 2, 9)]);
    assert.deepEqual(attributes.at(-1), STATE);
    assert.deepEqual(nasAttributes({ ...NAS, address: undefined }).length, 1);
});

test("a password is hidden, and never as it is", () => {
    const attributes = request({ method: "pap", identity: "kim", password: encodeUtf8("a secret password") });
    const [hidden = new Uint8Array(0)] = valuesOf(attributes, ATTRIBUTE.userPassword);
    assert.equal(hidden.length, 32);
    assert.ok(attributes.every(({ value }) => !Buffer.from(value).includes("secret password")));
});

test("CHAP carries the identifier with its response, and its challenge", () => {
    const [challenge, response] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
    const attributes = request({ method: "chap", identity: "kim", ident: 9, challenge, response });
    assert.deepEqual(valuesOf(attributes, ATTRIBUTE.chapPassword), [Uint8Array.of(9, ...response)]);
    assert.deepEqual(valuesOf(attributes, ATTRIBUTE.chapChallenge), [challenge]);
});

test("EAP is cut into attributes in its order, and says how much a link carries", () => {
    const packet = Uint8Array.from({ length: 600 }, (_, index) => index & 0xff);
    const attributes = request({ method: "eap", identity: "outer", packet });
    assert.deepEqual(
        valuesOf(attributes, ATTRIBUTE.eapMessage).map((value) => value.length),
        [253, 253, 94],
    );
    assert.deepEqual(Buffer.concat(valuesOf(attributes, ATTRIBUTE.eapMessage)), Buffer.from(packet));
    assert.deepEqual(valuesOf(attributes, ATTRIBUTE.framedMtu), [Uint8Array.of(0, 0, 0x05, 0x74)]);
});

test("what RADIUS cannot carry is said, and everything else is carried", () => {
    const pap = (identity: string, size: number): AttemptCredentials => ({
        method: "pap",
        identity,
        password: new Uint8Array(size),
    });
    assert.equal(uncarriable(pap("é".repeat(126), 128)), undefined);
    assert.match(uncarriable(pap("é".repeat(127), 1)) ?? "", /name/);
    assert.match(uncarriable(pap("kim", 129)) ?? "", /password/);
    assert.match(uncarriable({ method: "eap", identity: "", packet: new Uint8Array(3_001) }) ?? "", /3001/);
    assert.equal(uncarriable({ method: "eap", identity: "", packet: new Uint8Array(3_000) }), undefined);
});
