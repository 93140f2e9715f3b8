import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalName, MAX_NAME_LENGTH, type NameRules } from "../src/index.ts";

const keep: NameRules = { caseSensitive: false, ownDomains: ["CORP", "corp.example"], otherDomains: "keep" };
const strip: NameRules = { ...keep, otherDomains: "strip" };
const refuse: NameRules = { ...keep, otherDomains: "refuse" };

const table: readonly [
    claimed: string,
    kept: string | undefined,
    stripped: string | undefined,
    refused: string | undefined,
][] = [
    ["alice", "alice", "alice", "alice"],
    ["ALICE", "alice", "alice", "alice"],
    ["CORP\\Alice", "alice", "alice", "alice"],
    ["corp\\alice", "alice", "alice", "alice"],
    ["Alice@Corp.Example", "alice", "alice", "alice"],
    ["CORP\\alice@corp.example", "alice", "alice", "alice"],
    ["\\alice", "alice", "alice", "alice"],
    ["\\alice@corp.example", "alice", "alice", "alice"],
    ["OTHER\\alice", "alice@other", "alice", undefined],
    ["alice@other.example", "alice@other.example", "alice", undefined],
    ["OTHER\\alice@corp.example", "alice@other", "alice", undefined],
    ["CORP\\alice@other.example", undefined, undefined, undefined],
    ["OTHER\\alice@third.example", undefined, undefined, undefined],
    ["alice@b@corp.example", undefined, undefined, undefined],
    ["CORP\\a\\b", undefined, undefined, undefined],
    ["alice@", undefined, "alice", undefined],
    ["", undefined, undefined, undefined],
    ["CORP\\", undefined, undefined, undefined],
    ["@corp.example", undefined, undefined, undefined],
    [" alice", undefined, undefined, undefined],
    ["alice ", undefined, undefined, undefined],
    ["ali ce", "ali ce", "ali ce", "ali ce"],
    ["ali\u0000ce", undefined, undefined, undefined],
    ["ali\u200Bce", undefined, undefined, undefined],
    ["ali\nce", undefined, undefined, undefined],
    // Composed and decomposed.
    ["JOS\u00C9", "jos\u00E9", "jos\u00E9", "jos\u00E9"],
    ["jose\u0301", "jos\u00E9", "jos\u00E9", "jos\u00E9"],
];

for (const [claimed, kept, stripped, refused] of table) {
    test(`"${JSON.stringify(claimed).slice(1, -1)}" is ${kept ?? "nobody"}`, () => {
        assert.equal(canonicalName(claimed, keep), kept);
        assert.equal(canonicalName(claimed, strip), stripped);
        assert.equal(canonicalName(claimed, refuse), refused);
    });
}

test("case counts where the rules say so, in names but not in domains", () => {
    const rules = { ...keep, caseSensitive: true };
    assert.equal(canonicalName("corp\\Alice", rules), "Alice");
    assert.equal(canonicalName("OTHER\\Alice", rules), "Alice@other");
});

test("names have a limit", () => {
    assert.equal(canonicalName("a".repeat(MAX_NAME_LENGTH), keep), "a".repeat(MAX_NAME_LENGTH));
    assert.equal(canonicalName("a".repeat(MAX_NAME_LENGTH + 1), keep), undefined);
    assert.equal(canonicalName(`${"a".repeat(MAX_NAME_LENGTH)}@x`, keep), undefined);
});

const claims = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc
        .array(fc.constantFrom("corp", "CORP", "\\", "@", "a", "É", "e\u0301", "İ", "ẞ", "x.y", " ", "\u1E9E", "Σ"), {
            maxLength: 8,
        })
        .map((parts) => parts.join("")),
);

test("a canonical name is its own canonical name and cannot be read as another domain's", () => {
    fc.assert(
        fc.property(claims, fc.constantFrom(keep, strip, refuse), fc.boolean(), (claimed, base, caseSensitive) => {
            const rules = { ...base, caseSensitive };
            const name = canonicalName(claimed, rules);
            if (name === undefined) return;
            assert.equal(canonicalName(name, rules), name);
            assert.ok(!name.includes("\\") && name !== "" && name.length <= MAX_NAME_LENGTH);
        }),
        { numRuns: 5000 },
    );
});
