import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeLatin1 } from "@postern/bytes";
import { decodeIdentity } from "../src/identity.ts";

test("RFC 3748 §5.1: the name ends at a NUL, behind which options may be", () => {
    for (const [data, name] of [
        ["alice", "alice"],
        ["alice\0networkid=office", "alice"],
        ["\0", ""],
        ["", ""],
    ] as const) {
        assert.deepEqual(decodeIdentity(encodeLatin1(data)), Uint8Array.from(encodeLatin1(name)));
    }
});

test("the name is a copy", () => {
    const data = encodeLatin1("alice");
    const name = decodeIdentity(data);
    data.fill(0);
    assert.deepEqual(name, encodeLatin1("alice"));
});
