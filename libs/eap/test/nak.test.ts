import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeNak, encodeNak } from "../src/nak.ts";

test("RFC 3748 §5.3.1: wanted methods in order; a zero says none", () => {
    assert.deepEqual(decodeNak(Uint8Array.of(25, 13)), [25, 13]);
    assert.deepEqual(decodeNak(Uint8Array.of(0)), []);
    assert.deepEqual(decodeNak(new Uint8Array(0)), []);
    assert.deepEqual([...encodeNak([])], [0]);
    assert.deepEqual([...encodeNak([26])], [26]);
});
