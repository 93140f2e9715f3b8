import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@postern/errors";
import { parseCommandLine } from "../src/command-line.ts";

test("a configuration and an instance", () => {
    assert.deepEqual(parseCommandLine(["--config", "/etc/postern.yaml", "--instance", "w1"]), {
        config: "/etc/postern.yaml",
        instance: "w1",
    });
});

test("anything else is refused", () => {
    const wrong = [
        [],
        ["--config", "a.yaml"],
        ["--instance", "w1"],
        ["--config", "a.yaml", "--instance", "W 1"],
        ["--config", "a.yaml", "--instance", "w1", "--verbose"],
        ["--config", "a.yaml", "--instance", "w1", "more"],
        ["--config"],
    ];
    for (const args of wrong) assert.throws(() => parseCommandLine(args), ConfigError, args.join(" "));
});
