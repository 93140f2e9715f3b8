import assert from "node:assert/strict";
import { test } from "node:test";
import { DependencyError } from "@postern/errors";
import { isNoSpace, Reserve } from "../src/reserve.ts";
import { FailingDisk } from "./failing-disk.ts";
import { createTemporaryDirectory } from "@postern/testkit";

test("a full disk is known by its code, wherever in the causes that is", () => {
    const full = Object.assign(new Error("write"), { code: "ENOSPC" });
    assert.ok(isNoSpace(full));
    assert.ok(isNoSpace(new DependencyError("OUTBOX_WRITE_FAILED", "write", { cause: full })));
    assert.ok(!isNoSpace(new DependencyError("OUTBOX_WRITE_FAILED", "ENOSPC in words")));
    assert.ok(!isNoSpace("ENOSPC"));
});

test("on a real disk: written half, it is emptied; later it is whole", async () => {
    await using directory = await createTemporaryDirectory("reserve");
    const file = `${directory.path}/reserve`;
    const disk = new FailingDisk();
    disk.fail("partial write");
    const reserve = await Reserve.open(disk, file, 1_000_000);
    assert.equal(reserve.isWhole, false);
    assert.equal((await disk.status(file))?.size, 0);
    disk.heal();
    assert.equal(await reserve.refill(), true);
    assert.equal((await disk.status(file))?.size, 1_000_000);
    assert.equal((await Reserve.open(disk, file, 1_000_000)).isWhole, true);
});
