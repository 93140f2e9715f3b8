// How files look: budgets, names, places.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { listFiles, listPackages, readText, PURE_RANK } from "./packages.ts";

const MEDIAN_BUDGET = 120;
const FILE_BUDGET = 400;
const SESSION_BUDGET = 300;
const FORBIDDEN_NAMES = /^(utils?|common|helpers?|shared|misc|core)$/;

const sources = listFiles("libs/*/src/**", "services/*/src/**").filter((file) => /\.(?:ts|cc|h)$/.test(file));
const code = listFiles("libs/**", "services/**", "test/**", "bench/**", "tools/**").filter((file) =>
    /\.(?:ts|cc|h)$/.test(file),
);
const lineCount = (file: string): number => readText(file).split("\n").length - 1;

test("median, maximum and session.ts stay within their budgets, in tests too", () => {
    assert.ok(sources.length > 400 && code.length > 800);
    assert.deepEqual(
        code.filter((file) => lineCount(file) > FILE_BUDGET),
        [],
    );
    for (const files of [sources, code]) {
        const sizes = files.map(lineCount).sort((a, b) => a - b);
        assert.ok((sizes[Math.floor(sizes.length / 2)] ?? Infinity) <= MEDIAN_BUDGET);
    }
    assert.ok(lineCount("services/session-worker/src/session.ts") <= SESSION_BUDGET);
});

test("files and folders are named after one thing, in kebab case", () => {
    const wrong = code.filter((file) =>
        file
            .split("/")
            .slice(1)
            .some(
                (part) =>
                    FORBIDDEN_NAMES.test(part.replace(/\..*$/, "")) ||
                    !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:ts|cc|h|test\.ts))?$/.test(part),
            ),
    );
    assert.deepEqual(wrong, []);
});

test("a package-level test mirrors a source file, or is in a folder that does", () => {
    const present = new Set(sources);
    const mirrored = (file: string): readonly string[] => {
        const source = file.replace("/test/", "/src/");
        return [source.replace(".test.ts", ".ts"), `${path.dirname(source)}.ts`];
    };
    const orphans = listFiles("libs/*/test/**", "services/*/test/**")
        .filter((file) => file.endsWith(".test.ts"))
        .filter((file) => !mirrored(file).some((source) => present.has(source)));
    assert.deepEqual(orphans, []);
});

test("pure packages do not name the platform", () => {
    const pure = listPackages().filter((entry) => entry.rank <= PURE_RANK);
    const wrong = pure
        .flatMap((entry) => listFiles(`${entry.folder}/src/**`))
        .filter((file) =>
            /from "node:|\bBuffer\b|\bprocess\.|\bsetTimeout\b|\bDate\.now\b/.test(
                readText(file).replaceAll(/\/\/.*|\/\*[^]*?\*\//g, ""),
            ),
        );
    assert.deepEqual(wrong, []);
});

test("a codec file names its specification", () => {
    const codecs = listFiles("libs/sstp/src/*.ts", "libs/ppp/src/*.ts").filter(
        (file) => !["index.ts", "errors.ts"].includes(path.basename(file)),
    );
    assert.ok(codecs.length > 10);
    assert.deepEqual(
        codecs.filter((file) => !/\[MS-SSTP\]|RFC \d+/.test(readText(file))),
        [],
    );
});

test("every file that one class's state lives in has one writer of it", () => {
    const wrong = sources.filter((file) => (readText(file).match(/this\.#state = /g) ?? []).length > 1);
    assert.deepEqual(wrong, []);
});
