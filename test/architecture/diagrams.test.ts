// docs/diagrams shows the tables that run.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { stateDiagrams } from "../../tools/state-diagrams.ts";
import { listFiles, readText } from "./packages.ts";

test("the state diagrams are current; node_modules/.bin/node tools/write-diagrams.ts writes them", () => {
    const files = listFiles("docs/diagrams/*.mmd");
    const written = Object.fromEntries(files.map((file) => [path.basename(file), readText(file)]));
    assert.deepEqual(written, stateDiagrams());
});
