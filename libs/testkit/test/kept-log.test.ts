import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptLog } from "@postern/testkit";

test("lines are kept in their order, those of children with the fields of the child", () => {
    const log = new KeptLog();
    const child = log.child({ session: "s1" }).child({ user: "kim" });
    log.warn({ code: "BUS_TIMEOUT" }, "late");
    child.error({ user: "ann" }, "refused");
    assert.deepEqual(log.lines, [
        { level: "warn", fields: { code: "BUS_TIMEOUT" }, message: "late" },
        { level: "error", fields: { session: "s1", user: "ann" }, message: "refused" },
    ]);
    assert.deepEqual(log.texts, ["warn: late", "error: refused"]);
    assert.equal(log.find(/^ref/), log.lines[1]);
    assert.equal(log.find(/^not/), undefined);
});
