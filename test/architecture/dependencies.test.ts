// Dependencies point one way, and every package has one door.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importsOf, listFiles, listPackages, readText, RANKS, SAME_RANK_ALLOWED, SERVICE_RANK } from "./packages.ts";

const packages = listPackages();
const byName = new Map(packages.map((entry) => [entry.name, entry]));

test("there is a rank for every package, and a package for every rank", () => {
    const libraries = packages.filter((entry) => entry.folder.startsWith("libs/") && !entry.isTestOnly);
    assert.deepEqual(libraries.map((entry) => entry.name).sort(), Object.keys(RANKS).sort());
    assert.ok(packages.filter((entry) => entry.rank === SERVICE_RANK).length === 5);
});

test("a package imports lower ranks only, and only what its package.json names", () => {
    const wrong: string[] = [];
    for (const entry of packages) {
        for (const file of listFiles(`${entry.folder}/src/*.ts`, `${entry.folder}/src/**/*.ts`)) {
            for (const specifier of importsOf(file)) {
                if (!specifier.startsWith("@postern/")) continue;
                const target = byName.get(specifier.slice("@postern/".length));
                if (target === undefined) wrong.push(`${file}: no package ${specifier}`);
                else if (!entry.dependencies.includes(specifier))
                    wrong.push(`${file}: ${specifier} is not in its package.json`);
                else if (target.isTestOnly && !entry.isTestOnly) wrong.push(`${file}: only tests import ${specifier}`);
                else if (entry.isTestOnly) continue;
                else if (target.rank >= entry.rank && !SAME_RANK_ALLOWED.includes(`${entry.name} -> ${target.name}`)) {
                    wrong.push(`${file}: rank ${entry.rank} imports ${specifier} of rank ${target.rank}`);
                }
            }
        }
    }
    assert.deepEqual(wrong, []);
});

test("what a package's tests import is in its package.json too", () => {
    const wrong = packages.flatMap((entry) =>
        listFiles(`${entry.folder}/test/*.ts`, `${entry.folder}/test/**/*.ts`).flatMap((file) =>
            importsOf(file)
                .filter((specifier) => specifier.startsWith("@postern/") && specifier !== `@postern/${entry.name}`)
                .filter((specifier) => ![...entry.dependencies, ...entry.devDependencies].includes(specifier))
                .map((specifier) => `${file}: ${specifier}`),
        ),
    );
    assert.deepEqual(wrong, []);
});

test("every library has one door with an explicit list of names", () => {
    for (const entry of packages.filter((candidate) => candidate.folder.startsWith("libs/"))) {
        const door = `${entry.folder}/src/index.ts`;
        if (entry.name === "cli" || entry.name === "launcher") continue;
        assert.deepEqual(entry.exports, { ".": "./src/index.ts" }, entry.name);
        assert.doesNotMatch(readText(door), /export \*/, door);
    }
});

test("nothing imports across a package's door", () => {
    const wrong: string[] = [];
    for (const entry of packages) {
        for (const file of listFiles(`${entry.folder}/src/*.ts`, `${entry.folder}/src/**/*.ts`)) {
            for (const specifier of importsOf(file)) {
                const climbs =
                    specifier.startsWith("..") &&
                    !new URL(specifier, `file:///${file}`).pathname.startsWith(`/${entry.folder}/src/`);
                if (climbs || /^@postern\/[^/]+\//.test(specifier)) wrong.push(`${file}: ${specifier}`);
            }
        }
    }
    assert.deepEqual(wrong, []);
});

test("only libs/bus speaks NATS", () => {
    const files = listFiles("libs/**/*.ts", "services/**/*.ts").filter((file) => !file.startsWith("libs/bus/"));
    assert.ok(files.length > 100);
    assert.deepEqual(
        files.filter((file) => importsOf(file).some((specifier) => specifier.startsWith("@nats-io/"))),
        [],
    );
});
