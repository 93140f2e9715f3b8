import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { encodeLatin1, encodeUtf8 } from "@postern/bytes";
import {
    ATTRIBUTE,
    type Attribute,
    CODE,
    integerAttribute,
    MICROSOFT,
    textAttribute,
    VENDOR,
    vendorAttribute,
} from "@postern/radius";
import { type RadiusReply } from "@postern/radius-client";
import { hideKey } from "../../../../../libs/radius/test/hide-key.ts";
import type { AttemptCredentials } from "../../../src/auth-backend.ts";
import { readReply } from "../../../src/backends/radius/access-reply.ts";

const NAMES = { caseSensitive: false, ownDomains: ["corp"], otherDomains: "keep" } as const;
const RULES = { names: NAMES, groupAttribute: "filter-id" } as const;
const SECRETS = { authenticator: randomBytes(16), secret: randomBytes(16) };
const [RECEIVE, SEND] = [randomBytes(16), randomBytes(16)];

const PAP: AttemptCredentials = { method: "pap", identity: "CORP\\Kim", password: encodeUtf8("x") };
const MSCHAP: AttemptCredentials = {
    method: "mschapv2",
    identity: "kim",
    ident: 7,
    challenge: new Uint8Array(16),
    response: new Uint8Array(49),
};
const EAP: AttemptCredentials = { method: "eap", identity: "somebody", packet: Uint8Array.of(2, 1, 0, 5, 1) };

const microsoft = (type: number, value: Uint8Array): Attribute => vendorAttribute(VENDOR.microsoft, type, value);
const key = (type: number, value: Uint8Array): Attribute =>
    microsoft(type, hideKey(value, Uint8Array.of(0x80, type), SECRETS));
const KEYS = [key(MICROSOFT.mppeRecvKey, RECEIVE), key(MICROSOFT.mppeSendKey, SEND)];
const SUCCESS = microsoft(MICROSOFT.chap2Success, encodeLatin1(`\u0007S=${"0".repeat(40)}`));

function read(credentials: AttemptCredentials, code: number, attributes: readonly Attribute[] = []) {
    const packet = { code, identifier: 1, authenticator: new Uint8Array(16), attributes };
    const reply: RadiusReply = { ...SECRETS, server: "192.0.2.1:1812", packet };
    return readReply(credentials, reply, RULES);
}
const reasonOf = (...args: Parameters<typeof read>): string => {
    const verdict = read(...args);
    return verdict.outcome === "reject" ? verdict.reason : verdict.outcome;
};

test("the principal is who the server names, else who was verified, and never an outer identity", () => {
    const principal = (...args: Parameters<typeof read>): string => {
        const verdict = read(...args);
        return verdict.outcome === "accept" ? verdict.principal : assert.fail(JSON.stringify(verdict));
    };
    const named = textAttribute(ATTRIBUTE.userName, "corp\\Alice");
    assert.equal(principal(PAP, CODE.accessAccept), "kim");
    assert.equal(principal(PAP, CODE.accessAccept, [named]), "alice");
    assert.equal(principal(EAP, CODE.accessAccept, [named, ...KEYS]), "alice");
    assert.equal(reasonOf(EAP, CODE.accessAccept, KEYS), "backend-unavailable");
    assert.equal(reasonOf(PAP, CODE.accessAccept, [textAttribute(ATTRIBUTE.userName, "\u0000")]), "unknown-user");
});

test("keys are opened for the methods that have them, and missed where they are missing", () => {
    const whole = read(MSCHAP, CODE.accessAccept, [SUCCESS, ...KEYS]);
    assert.ok(whole.outcome === "accept");
    assert.deepEqual(Buffer.from(whole.keys?.hlak ?? ""), Buffer.concat([RECEIVE, SEND]));
    assert.equal(whole.keys?.authenticatorResponse, `S=${"0".repeat(40)}`);
    assert.equal(reasonOf(MSCHAP, CODE.accessAccept, [SUCCESS]), "no-session-keys");
    assert.equal(reasonOf(MSCHAP, CODE.accessAccept, KEYS), "no-session-keys");
    assert.equal(reasonOf(EAP, CODE.accessAccept, [textAttribute(ATTRIBUTE.userName, "kim")]), "no-session-keys");
    const pap = read(PAP, CODE.accessAccept, KEYS);
    assert.ok(pap.outcome === "accept" && pap.keys === undefined);
});

test("what an Accept says in another form than its own refuses the user", () => {
    const short = { type: ATTRIBUTE.sessionTimeout, value: Uint8Array.of(1) };
    const wrongKey = microsoft(MICROSOFT.mppeRecvKey, new Uint8Array(34));
    const names = ["a", "b"].map((name) => textAttribute(ATTRIBUTE.userName, name));
    assert.equal(reasonOf(PAP, CODE.accessAccept, [short]), "backend-unavailable");
    assert.equal(reasonOf(PAP, CODE.accessAccept, names), "backend-unavailable");
    assert.equal(reasonOf(MSCHAP, CODE.accessAccept, [SUCCESS, wrongKey, ...KEYS.slice(1)]), "backend-unavailable");
});

test("groups and policy are those of the Accept", () => {
    const verdict = read(PAP, CODE.accessAccept, [
        textAttribute(ATTRIBUTE.filterId, "staff"),
        integerAttribute(ATTRIBUTE.portLimit, 1),
    ]);
    assert.ok(verdict.outcome === "accept");
    assert.deepEqual([verdict.groups, verdict.policy], [["staff"], { maxSessions: 1 }]);
});

test("a refusal keeps the server's words for the record, and its error for the client", () => {
    const words = [textAttribute(ATTRIBUTE.replyMessage, "your account\r\n"), textAttribute(18, "is   closed")];
    assert.deepEqual(read(PAP, CODE.accessReject, words), {
        outcome: "reject",
        reason: "bad-credentials",
        detail: "your account is closed",
    });
    const reasons = {
        646: "restricted-hours",
        647: "account-disabled",
        648: "password-expired",
        649: "account-disabled",
        691: "bad-credentials",
        709: "password-expired",
        999: "bad-credentials",
    };
    for (const [error, reason] of Object.entries(reasons)) {
        const text = `\u0007E=${error} R=1 C=${"A5".repeat(16)} V=3 M=no`;
        const verdict = read(MSCHAP, CODE.accessReject, [microsoft(MICROSOFT.chapError, encodeLatin1(text))]);
        assert.partialDeepStrictEqual(verdict, { reason, mschap: { error: Number(error), message: "no" } });
    }
    const nonsense = microsoft(MICROSOFT.chapError, encodeLatin1("\u0007go away"));
    assert.deepEqual(read(MSCHAP, CODE.accessReject, [nonsense]), {
        outcome: "reject",
        reason: "bad-credentials",
        detail: "refused",
    });
});

test("a challenge goes on with EAP, and with nothing else", () => {
    const state = { type: ATTRIBUTE.state, value: Uint8Array.of(1, 2, 3) };
    const request = Uint8Array.of(1, 2, 0, 6, 4, 9);
    const message = { type: ATTRIBUTE.eapMessage, value: request };
    const question = { outcome: "challenge", packet: request, state: [state] };
    const asked = read(EAP, CODE.accessChallenge, [message, state]);
    assert.ok(asked.outcome === "challenge");
    assert.deepEqual({ ...asked, packet: Uint8Array.from(asked.packet) }, { ...question, timeout: undefined });
    const patient = read(EAP, CODE.accessChallenge, [
        message,
        state,
        integerAttribute(ATTRIBUTE.sessionTimeout, 9_999),
    ]);
    assert.ok(patient.outcome === "challenge" && patient.timeout === 600);
    assert.equal(reasonOf(EAP, CODE.accessChallenge, [state]), "method-not-allowed");
    assert.equal(reasonOf(PAP, CODE.accessChallenge, [message, state]), "method-not-allowed");
});
