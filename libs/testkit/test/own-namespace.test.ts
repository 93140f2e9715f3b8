import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { inOwnNamespace } from "@postern/testkit";

inOwnNamespace(import.meta.filename, () => {
    test("there is the loopback interface, and it is up", () => {
        assert.deepEqual(Object.keys(networkInterfaces()), ["lo"]);
    });
});
