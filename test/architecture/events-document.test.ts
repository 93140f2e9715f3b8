// docs/events.md and docs/asyncapi.json say what the contracts say, no less and no more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENTS, eventType, FIELD_MEANINGS } from "@postern/contracts";
import { asyncApiText, fieldPaths, renewedPage } from "../../tools/events-document.ts";
import { readText } from "./packages.ts";

const page = readText("docs/events.md");

test("docs/events.md has every event, field and reason of the contracts, and no other", () => {
    assert.equal(page, renewedPage(page), "run node tools/write-asyncapi.ts");
    const headings = [...page.matchAll(/^## ([a-z]+\.[a-z-]+)$/gm)].map(([, name]) => name);
    assert.deepEqual(
        headings,
        EVENTS.map(({ kind, name }) => `${kind}.${name}`),
    );
    for (const event of EVENTS) assert.ok(page.includes(`\`${eventType(event)}\``));
});

test("every field has a meaning, and every meaning a field", () => {
    assert.deepEqual([...fieldPaths()].sort(), Object.keys(FIELD_MEANINGS).sort());
});

test("docs/asyncapi.json is made of the contracts", () => {
    const { version } = JSON.parse(readText("package.json")) as { version: string }; // npm's form
    assert.equal(readText("docs/asyncapi.json"), asyncApiText(version), "run node tools/write-asyncapi.ts");
});
