import assert from "node:assert/strict";
import { test } from "node:test";
import { REDACTED, redact } from "../src/redaction.ts";

test("fields without a secret are not copied", () => {
    const fields = { user: "kim", groups: ["a", "b"], attempts: [{ user: "kim" }], tls: { version: "TLSv1.3" } };
    assert.equal(redact(fields), fields);
});

test("what holds a secret is copied, and nothing beside it", () => {
    const fields = { groups: ["a"], attempts: [{ user: "kim" }, { password: "p1" }] };
    const shown = redact(fields);
    assert.deepEqual(shown, { groups: ["a"], attempts: [{ user: "kim" }, { password: REDACTED }] });
    assert.equal(shown.groups, fields.groups);
    assert.equal(fields.attempts[1]?.password, "p1");
});
