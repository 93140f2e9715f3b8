import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelError } from "../src/kernel-error.ts";

test("the errno has its name, whatever its sign, and advice where there is any", () => {
    const messages = [-1, 1, -16, -999].map((errno) => kernelError("TUN_OPEN_FAILED", "creating pst0", errno).message);
    assert.match(messages[0] ?? "", /^TUN_OPEN_FAILED: creating pst0: EPERM; the process needs CAP_NET_ADMIN/);
    assert.equal(messages[1], messages[0]);
    assert.match(messages[2] ?? "", /EBUSY; an interface of that name exists already$/);
    assert.match(messages[3] ?? "", /creating pst0: Unknown system error -999$/);
});
