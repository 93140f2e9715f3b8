import assert from "node:assert/strict";
import { test } from "node:test";
import { EqualityFilter, FilterParser } from "ldapts";
import fc from "fast-check";
import { escapeFilter, fillFilter } from "../../../src/backends/ldap/filter-text.ts";

test("the examples of RFC 4515 §4", () => {
    assert.equal(
        escapeFilter("Parens R Us (for all your parenthetical needs)"),
        "Parens R Us \\28for all your parenthetical needs\\29",
    );
    assert.equal(escapeFilter("*"), "\\2a");
    assert.equal(escapeFilter("C:\\MyFile"), "C:\\5cMyFile");
    assert.equal(escapeFilter("\0"), "\\00");
});

test("whatever the name, the filter compares with exactly that", () => {
    fc.assert(
        fc.property(fc.string({ unit: "binary", minLength: 1 }), (name) => {
            const filter = FilterParser.parseString(fillFilter("(uid={user})", name));
            assert.ok(filter instanceof EqualityFilter);
            assert.equal(filter.value.toString(), name);
        }),
    );
});

test("the user's name is no template", () => {
    assert.equal(fillFilter("(|(uid={user})(mail={user}))", "{user}$&"), "(|(uid={user}$&)(mail={user}$&))");
});
