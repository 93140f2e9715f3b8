import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeLatin1, fromHex } from "@postern/bytes";
import { type Identification, identificationMessages, withIdentification } from "../src/identification.ts";

const WINDOWS = {
    version: "MSRASV5.20",
    computer: "MSRAS-0-DESKTOP",
    correlationId: fromHex("78563412 bc9a f0de 1122 334455667788"),
};

test("the three packets of Windows", () => {
    const messages = [encodeLatin1(WINDOWS.version), encodeLatin1(WINDOWS.computer), WINDOWS.correlationId];
    const known = messages.reduce((so, message) => withIdentification(so, message), {});
    assert.deepEqual(known, {
        version: "MSRASV5.20",
        computer: "DESKTOP",
        correlationId: "12345678-9abc-def0-1122-334455667788",
    });
    assert.deepEqual(identificationMessages(known), messages);
});

test("a name is no longer than a name may be", () => {
    const named = (length: number) => withIdentification({}, encodeLatin1(`MSRAS-0-${"x".repeat(length)}`)).computer;
    assert.deepEqual([named(0), named(255)?.length, named(256)], [undefined, 255, undefined]);
});

test("whatever else a peer says leaves no trace, nor grows", () => {
    const text = fc.string({ unit: "binary", maxLength: 400 }).map((rest) => encodeLatin1(`MSRAS-0-${rest}`));
    fc.assert(
        fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 400 }), text)), (messages) => {
            const known = messages.reduce<Identification>((so, message) => withIdentification(so, message), {});
            for (const value of Object.values(known)) assert.match(value, /^[\x21-\x7e]{1,255}$/);
            assert.ok(Object.keys(known).length <= 3);
        }),
    );
});
