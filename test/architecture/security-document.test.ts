// docs/security.md says what a part in other hands cannot do: each of these lines is the name of a test.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { readText } from "./packages.ts";

const DOCUMENT = "docs/security.md";
const ATTACKS = "libs/bus/test/accounts.test.ts";

const section =
    readText(DOCUMENT)
        .split("\n## ")
        .find((text) => text.startsWith("When a part is in other hands\n")) ?? "";
/** Rows of the tables that say what is impossible. */
const rows = section
    .split(/^\| It cannot.*\n\| --- \|\n/m)
    .slice(1)
    .flatMap((text) => text.split("\n\n")[0]?.trim().split("\n") ?? []);

test("every line of what a part cannot do is the name of a test", () => {
    assert.ok(rows.length > 30);
    const wrong = rows.filter((row) => {
        const [, words = "", target = ""] = /^\| \[([^\]]+)\]\(([^)]+)\)/.exec(row) ?? [];
        const file = path.join(path.dirname(DOCUMENT), target);
        return words === "" || !testsOf(file).includes(words);
    });
    assert.deepEqual(wrong, []);
});

test("every attack that is tested is in the document", () => {
    const attacks = [...readText(ATTACKS).matchAll(/^cannot\w+\(\s*"([^"]+)"/gm)].map(([, words = ""]) => words);
    assert.ok(attacks.length > 30);
    assert.deepEqual(
        attacks.filter((words) => !rows.some((row) => row.includes(`[${words}]`))),
        [],
    );
});

/** Names of tests: the first argument of a call at the beginning of a line. */
const testsOf = (file: string): string[] =>
    [...readText(file).matchAll(/^(?:test|cannot\w+)\(\s*"([^"]+)"/gm)].map(([, words = ""]) => words);
