import assert from "node:assert/strict";
import { test } from "node:test";
import { generatePassword } from "../src/generate-password.ts";

test("generated passwords are long, typeable and never the same", () => {
    const many = Array.from({ length: 100 }, generatePassword);
    assert.equal(new Set(many).size, 100);
    for (const password of many) assert.match(password, /^[a-km-np-zA-HJ-NP-Z2-9]{20}$/);
});
