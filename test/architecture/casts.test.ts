// What the type checker is told to believe.
import assert from "node:assert/strict";
import { test } from "node:test";
import { listFiles, readText } from "./packages.ts";

// `as const` and `as unknown` claim nothing, and an empty list is one of every type.
const CAST = /(?<!\[\])\sas\s(?!const\b|unknown\b(?! as ))/;
const IMPORT_COMMENT_OR_TEXT =
    /^(?:im|ex)port [^;]*? from "[^"]*";|\/\/.*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[^])*`/gm;

/** Line by line as in `source`; of a comment only its beginning stays. */
const codeOf = (source: string): readonly string[] =>
    source
        .replaceAll(
            IMPORT_COMMENT_OR_TEXT,
            (found) => (/^\/[/*]/.test(found) ? "//" : "") + found.replaceAll(/[^\n]/g, ""),
        )
        .split("\n");

const castsWithoutReason = (source: string): readonly number[] =>
    codeOf(source).flatMap((line, at) => (CAST.test(line) && !line.includes("//") ? [at + 1] : []));

test("a cast has its reason on its line", () => {
    const files = listFiles(
        "libs/**/*.ts",
        "services/**/*.ts",
        "test/**/*.ts",
        "bench/**/*.ts",
        "tools/**/*.ts",
    ).filter((file) => file !== "test/architecture/casts.test.ts"); // it speaks of them
    assert.ok(files.length > 500);
    const wrong = files.flatMap((file) => castsWithoutReason(readText(file)).map((line) => `${file}:${line}`));
    assert.deepEqual(wrong, []);
});

test("a cast without a reason is found, and nothing else", () => {
    const source = `import { a as b } from "c";
const d = e as F;
const g = e as F; // as it is
const h = e as unknown as F;
const i = [] as F[], j = k as const, l = m as unknown; // n as O
const p = "q as R";
`;
    assert.deepEqual(castsWithoutReason(source), [2, 4]);
});
