// docs/errors.md has every code of the catalogue with its meaning and what to do, and no other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR_CATALOGUE } from "@postern/errors";
import { readText } from "./packages.ts";

const rows = readText("docs/errors.md")
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "")));

test("docs/errors.md has the codes of the catalogue, in its order, with their meanings", () => {
    assert.deepEqual(
        rows.map(([code = "", meaning]) => [code.replaceAll("`", ""), meaning]),
        Object.entries(ERROR_CATALOGUE).map(([code, meaning]) => [code, meaning]),
    );
});

test("for every code it is said what to do", () => {
    const silent = rows.filter((row) => row.length !== 3 || (row[2] ?? "").length < 5);
    assert.deepEqual(silent, []);
});
