import assert from "node:assert/strict";
import { test } from "node:test";
import { renewed } from "../../report/document.ts";

const page = (between: string): string =>
    `# Title\n\n<!-- generated: begin -->${between}<!-- generated: end -->\n\nWhy so.\n`;

test("what people wrote stays, also the second time", () => {
    const once = renewed(page("\nold\n"), "new");
    assert.equal(once, page("\n\nnew\n\n"));
    assert.equal(renewed(once, "new"), once);
});

test("a page without marks is left alone", () => {
    assert.throws(() => renewed("# Title\n", "new"), { code: "INVARIANT" });
});
