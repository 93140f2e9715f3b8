import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { configurationTables, limitTable, replaceGenerated } from "../src/reference-tables.ts";

const page = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), "utf8");

// Equality is both directions: a key that the page lacks, and one that it should no longer have.
test("docs/configuration.md has every key as the schema has it, and no other", () => {
    assert.equal(replaceGenerated(page("configuration.md"), configurationTables()), page("configuration.md"));
});

test("docs/limits.md has every limit as the schema has it, and no other", () => {
    assert.equal(replaceGenerated(page("limits.md"), limitTable()), page("limits.md"));
});

test("a page without markers is not touched", () => {
    assert.equal(replaceGenerated("# Limits\n", "table"), undefined);
});
