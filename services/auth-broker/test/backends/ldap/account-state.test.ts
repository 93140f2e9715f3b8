import assert from "node:assert/strict";
import { test } from "node:test";
import { accountProblem } from "../../../src/backends/ldap/account-state.ts";
import { directoryEntry } from "../../../src/backends/ldap/directory-entry.ts";

/** 2026-11-24T12:00:00Z; as a FILETIME 134401176000000000. */
const NOW = Date.UTC(2026, 10, 24, 12);
const FILETIME = (BigInt(NOW) + 11_644_473_600_000n) * 10_000n;
const TODAY = Math.floor(NOW / 86_400_000);

for (const [attribute, value, reason] of [
    ["userAccountControl", "512", undefined],
    ["userAccountControl", "514", "account-disabled"],
    ["accountExpires", "0", undefined],
    ["accountExpires", "9223372036854775807", undefined],
    ["accountExpires", String(FILETIME + 10_000n), undefined],
    ["accountExpires", String(FILETIME), "account-disabled"],
    ["shadowExpire", "-1", undefined],
    ["shadowExpire", String(TODAY + 1), undefined],
    ["shadowExpire", String(TODAY), "account-disabled"],
    ["pwdReset", "FALSE", undefined],
    ["pwdReset", "TRUE", "password-expired"],
    ["pwdReset", "", undefined],
    ["userAccountControl", "what", undefined],
] as const) {
    test(`${attribute} ${value}: ${reason ?? "may log in"}`, () => {
        assert.equal(accountProblem(directoryEntry({ dn: "cn=u", [attribute]: value }), NOW)?.reason, reason);
    });
}
