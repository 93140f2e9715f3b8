// What Markdown says about files is checked: that they are there, that packages have a page, that the layout is whole.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { listFiles, listPackages, readText, ROOT, SERVICE_RANK } from "./packages.ts";

const packages = listPackages();
const isThere = (file: string): boolean => existsSync(path.join(ROOT, file));
const withoutCode = (text: string): string => text.replaceAll(/^```.*?^```/gms, "").replaceAll(/`[^`\n]*`/g, "");

/** GitHub's anchor of a heading. */
const anchorOf = (heading: string): string =>
    heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(/\s/g, "-");

const anchorsOf = (file: string): readonly string[] =>
    [...readText(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));

test("every package has a README.md that begins with its name", () => {
    const wrong = packages.filter(({ folder, name, rank }) => {
        const file = `${folder}/README.md`;
        const title = rank === SERVICE_RANK ? name : `@postern/${name}`;
        return !isThere(file) || !readText(file).startsWith(`# ${title}\n`);
    });
    assert.deepEqual(
        wrong.map(({ folder }) => folder),
        [],
    );
});

test("every relative link leads to a file, and to a heading where it names one", () => {
    const wrong: string[] = [];
    for (const file of listFiles("*.md")) {
        for (const [, target = ""] of withoutCode(readText(file)).matchAll(/\]\(([^)\s]+)\)/g)) {
            if (/^[a-z]+:/.test(target)) continue;
            const [link = "", anchor] = target.split("#");
            const linked = link === "" ? file : path.join(path.dirname(file), link);
            if (!isThere(linked)) wrong.push(`${file}: ${target}`);
            else if (anchor !== undefined && !anchorsOf(linked).includes(anchor)) wrong.push(`${file}: ${target}`);
        }
    }
    assert.deepEqual(wrong, []);
});

test("every source file that a package's README names is in that package", () => {
    const wrong = packages
        .map(({ folder }) => `${folder}/README.md`)
        .filter(isThere)
        .flatMap((file) => {
            const own = listFiles(`${path.dirname(file)}/**`, "docs/**", "bench/**");
            const named = [...readText(file).matchAll(/`([\w./-]+\.(?:ts|cc|mk|md))`/g)].map(([, name = ""]) => name);
            return named
                .filter((name) => !own.some((candidate) => `/${candidate}`.endsWith(`/${name}`)) && !isThere(name))
                .map((name) => `${file}: ${name}`);
        });
    assert.deepEqual(wrong, []);
});

test("the layout in README.md has every package, once, with its rank", () => {
    const rows = [...readText("README.md").matchAll(/^\| \[([\w/-]+)\]\(([^)]+)\) \| (\w+) \|/gm)];
    const listed = rows.map(([, folder, link, rank]) => ({ folder, link, rank }));
    const expected = packages.map(({ folder, rank, isTestOnly }) => ({
        folder,
        link: `${folder}/README.md`,
        rank: isTestOnly ? "tests" : String(rank),
    }));
    const byFolder = (a: { folder?: string | undefined }, b: { folder?: string | undefined }): number =>
        (a.folder ?? "").localeCompare(b.folder ?? "");
    assert.deepEqual(listed.toSorted(byFolder), expected.toSorted(byFolder));
});

test("every decision is in the index of docs/adr, and has its number", () => {
    const decisions = listFiles("docs/adr/*.md")
        .map((file) => path.basename(file))
        .filter((name) => name !== "README.md");
    assert.ok(decisions.length > 5);
    assert.deepEqual(
        decisions.filter((name) => !/^\d{4}-[a-z0-9-]+\.md$/.test(name)),
        [],
    );
    const index = readText("docs/adr/README.md");
    assert.deepEqual(
        decisions.filter((name) => !index.includes(`[${name.slice(0, 4)}](${name})`)),
        [],
    );
});
