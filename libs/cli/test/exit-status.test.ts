import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ConfigError, DependencyError, InvariantError } from "@postern/errors";
import { adviceFor, EXIT, exitStatusOf } from "../src/exit-status.ts";

test("a status tells what kind of failure it was", () => {
    assert.equal(exitStatusOf(new ConfigError("CLI_USAGE", "x")), EXIT.usage);
    assert.equal(exitStatusOf(new DependencyError("CLI_NOT_FOUND", "x")), EXIT.notFound);
    assert.equal(exitStatusOf(new DependencyError("CLI_ALREADY_THERE", "x")), EXIT.alreadyThere);
    assert.equal(exitStatusOf(new ConfigError("CONFIG_INVALID", "x")), EXIT.badConfig);
    assert.equal(exitStatusOf(new ConfigError("KEY_FILE_UNUSABLE", "x")), EXIT.badConfig);
    assert.equal(exitStatusOf(new DependencyError("BUS_UNAVAILABLE", "x")), EXIT.failed);
    assert.equal(exitStatusOf(new InvariantError("x")), EXIT.failed);
    assert.equal(exitStatusOf(new TypeError("x")), EXIT.failed);
});

test("what an administrator can do about it is said where it is known", () => {
    assert.match(adviceFor(new DependencyError("BUS_NOT_APPLIED")) ?? "", /postern bus apply/);
    assert.equal(adviceFor(new TypeError("x")), undefined);
});

test("docs/cli.md lists every status", () => {
    const page = readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8");
    const listed = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, status]) => Number(status));
    assert.deepEqual(listed, Object.values(EXIT));
});
