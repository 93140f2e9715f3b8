// docs/compatibility.md names the logins that test/interop makes, and no others.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { CELLS } from "../interop/cells.ts";
import { listFiles, readText } from "./packages.ts";

const DOCUMENT = "docs/compatibility.md";

/** The cells of the table's rows: backend, method, client, and where the test is. */
const rows = readText(DOCUMENT)
    .split("\n")
    .filter((line) => line.startsWith("| ") && line.includes(".test.ts"))
    .map((line) => {
        const [, backend = "", method = "", client = "", , link = ""] = line.split("|").map((cell) => cell.trim());
        const target = /\]\(([^)]+)\)/u.exec(link)?.[1] ?? "";
        return [backend, method, client, path.join(path.dirname(DOCUMENT), target)];
    });

test("every row is a cell that is run, and every cell has its row, in the same order", () => {
    assert.deepEqual(
        rows,
        CELLS.map(({ backend, method, client, test: file }) => [backend, method, client, `test/interop/${file}`]),
    );
});

test("the file that a row names is there and runs the cells of the list", () => {
    const tests = listFiles("test/interop/*.test.ts");
    for (const file of new Set(CELLS.map((cell) => `test/interop/${cell.test}`))) {
        assert.ok(tests.includes(file), file);
        assert.match(readText(file), /from "\.\/cells\.ts"/u, file);
    }
});
