import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOf } from "../../../src/auth-reply.ts";
import { bindRefusal } from "../../../src/backends/ldap/bind-refusal.ts";
import { directoryEntry } from "../../../src/backends/ldap/directory-entry.ts";

const user = directoryEntry({ dn: "cn=u" });
const INVALID_CREDENTIALS = 49;

for (const [data, reason, error] of [
    ["525", "unknown-user", 691],
    ["52e", "bad-credentials", 691],
    ["52E", "bad-credentials", 691],
    ["530", "account-disabled", 646],
    ["531", "account-disabled", 649],
    ["532", "password-expired", 648],
    ["533", "account-disabled", 647],
    ["701", "account-disabled", 647],
    ["773", "password-expired", 648],
    ["775", "account-locked", 691],
    ["9999", "bad-credentials", 691],
] as const) {
    test(`data ${data} of Active Directory is ${reason}, E=${error}`, () => {
        const text = `80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data ${data}, v4563`;
        const refusal = bindRefusal(INVALID_CREDENTIALS, text, user);
        assert.equal(refusal.reason, reason);
        assert.equal(refusalOf(refusal)?.error, error);
    });
}

test("without words: locked where the entry says so, unwilling is disabled, else the password was wrong", () => {
    const locked = directoryEntry({ dn: "cn=u", pwdAccountLockedTime: "000001010000Z" });
    assert.equal(bindRefusal(INVALID_CREDENTIALS, "", locked).reason, "account-locked");
    assert.equal(bindRefusal(53, "account inactivated", user).reason, "account-disabled");
    assert.equal(bindRefusal(INVALID_CREDENTIALS, "", user).reason, "bad-credentials");
});
