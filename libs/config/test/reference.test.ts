import assert from "node:assert/strict";
import { test } from "node:test";
import { configJsonSchema, keyReferences } from "../src/reference.ts";

test("every key says what it means", () => {
    const silent = keyReferences().filter(({ meaning, type }) => meaning === undefined && !type.endsWith("map"));
    assert.deepEqual(
        silent.map(({ key }) => key),
        [],
    );
});

test("a reference has the key's type, default and limit in the notation of the file", () => {
    const reference = keyReferences().find(({ key }) => key === "bus.eventsMaxBytes");
    assert.equal(reference?.type, "size");
    assert.equal(reference.default, "1GiB");
    assert.equal(reference.required, false);
    assert.ok(reference.limit);
    assert.equal(keyReferences().find(({ key }) => key === "name")?.required, true);
    assert.equal(keyReferences().find(({ key }) => key === "nats.ca")?.required, false);
});

test("no key appears twice", () => {
    const keys = keyReferences().map(({ key }) => key);
    assert.equal(new Set(keys).size, keys.length);
});

test("the JSON Schema is strict, knows instances, and asks nothing of an override", () => {
    // A JSON Schema is a tree of unknown depth; the test names the path it wants.
    const at = (path: string): unknown =>
        path
            .split("/")
            .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], configJsonSchema()); // a missing step fails
    assert.equal(at("additionalProperties"), false);
    assert.deepEqual(at("required"), ["name"]);
    assert.equal(at("properties/ingress/additionalProperties"), false);
    assert.equal(at("properties/ingress/properties/stopWithin/default"), "20s");
    const override = "properties/ingress/properties/instances/additionalProperties";
    assert.equal(at(`${override}/additionalProperties`), false);
    assert.equal(at(`${override}/properties/stopWithin/type`), "string");
    assert.equal(at(`${override}/properties/stopWithin/default`), undefined);
    assert.ok(!JSON.stringify(configJsonSchema()).includes('"limit":"'));
});
