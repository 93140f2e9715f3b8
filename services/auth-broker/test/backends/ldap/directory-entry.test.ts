import assert from "node:assert/strict";
import { test } from "node:test";
import { directoryEntry } from "../../../src/backends/ldap/directory-entry.ts";

test("attributes are found in any case, with one value, several, none, or bytes", () => {
    const entry = directoryEntry({ dn: "uid=a", UID: "a", mail: ["b", Buffer.from("c")] as string[], empty: [] }); // the library mixes them
    assert.equal(entry.dn, "uid=a");
    assert.deepEqual(entry.values("uid"), ["a"]);
    assert.deepEqual(entry.values("Mail"), ["b", "c"]);
    assert.deepEqual(entry.values("empty"), []);
    assert.deepEqual(entry.values("absent"), []);
});
